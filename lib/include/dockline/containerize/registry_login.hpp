#pragma once

#include "dockline/core/async.hpp"
#include "dockline/engine/registry_auth.hpp"

#include <functional>
#include <string>

namespace dockline::containerize {

// Gives the credentials of a registry, by the domain of its images' names ("gcr.io", "127.0.0.1:5000");
// anonymous ones where it has none. It completes once, and not before it returns; cancelling ends it.
// `why` is there, and stays until then.
using registry_login = std::function<void(std::string registry, diagnostics* why,
                                          completion_handler<engine::registry_auth> handler)>;

}  // namespace dockline::containerize
