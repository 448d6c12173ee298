#pragma once

// The requests about containers that are there, from their options, without I/O.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/container_stats.hpp"
#include "dockline/engine/exec.hpp"

#include "engine/endpoint.hpp"

#include <string_view>

namespace dockline::engine::requests {

endpoint container_list(const container_list_options& options);
endpoint container_inspect(std::string_view id);
endpoint container_prune(const filter_map& filters);
// Errors of these two: errc::unsupported_parameter for what `version` lacks.
result<endpoint> container_stats(std::string_view id, const stats_options& options, api_version version,
                                 diagnostics& why);
result<endpoint> exec_create(std::string_view container, const exec_options& options, api_version version,
                             diagnostics& why);
// Attached, the connection becomes the program's.
endpoint exec_start(std::string_view id, bool tty, bool detached);
endpoint exec_inspect(std::string_view id);

endpoint container_path_stat(std::string_view id, std::string_view path);
endpoint container_archive_get(std::string_view id, std::string_view path);
endpoint container_archive_put(std::string_view id, std::string_view path,
                               const container_put_options& options);

}  // namespace dockline::engine::requests
