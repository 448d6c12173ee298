#pragma once

#include "dockline/containerize/registry_login.hpp"
#include "dockline/core/export.hpp"
#include "dockline/gcp/client.hpp"

#include <string_view>

namespace dockline::containerize {

// Whether a registry is Google's: "gcr.io" and what ends in it ("eu.gcr.io"), "REGION-docker.pkg.dev",
// "docker.REGION.rep.pkg.dev".
DOCKLINE_API bool is_google_registry(std::string_view registry) noexcept;

// Logs in to Google's registries with an access token of the client's, which no other registry gets. No
// program is run for it, and the token is a new one for each build that needs it: see
// gcp::async_access_token, whose errors it has.
DOCKLINE_API registry_login google_registry_login(gcp::client google);

}  // namespace dockline::containerize
