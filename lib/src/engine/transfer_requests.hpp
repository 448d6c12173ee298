#pragma once

// The requests to do with registries, from their options, without I/O.

#include "dockline/engine/distribution.hpp"
#include "dockline/engine/image_transfer.hpp"

#include "engine/endpoint.hpp"

#include <string_view>

namespace dockline::engine::requests {

// Errors: errc::invalid_reference, errc::invalid_argument, errc::unsupported_parameter.
result<endpoint> image_push(std::string_view name, const push_options& options, api_version version,
                            diagnostics& why);
result<endpoint> image_pull(std::string_view name, const pull_options& options, api_version version,
                            diagnostics& why);
result<endpoint> distribution_inspect(std::string_view name, const registry_auth& auth, api_version version,
                                      diagnostics& why);

}  // namespace dockline::engine::requests
