#pragma once

// The requests of the endpoints about the daemon itself, from their options, without I/O.

#include "dockline/engine/build_cache.hpp"
#include "dockline/engine/disk_usage.hpp"
#include "dockline/engine/events.hpp"

#include "engine/endpoint.hpp"

#include <string_view>

namespace dockline::engine::requests {

endpoint info();
endpoint events(const events_options& options);
// Errors of these: errc::unsupported_parameter for what `version` lacks.
result<endpoint> disk_usage(const disk_usage_options& options, api_version version, diagnostics& why);
result<endpoint> build_prune(const build_prune_options& options, api_version version, diagnostics& why);
result<endpoint> build_cancel(std::string_view build_id, api_version version, diagnostics& why);

}  // namespace dockline::engine::requests
