#pragma once

// What `doctor` looks at. Each check tells what it found and what is wrong with it; none asks the network.

#include <dockline/core/diagnostics.hpp>
#include <dockline/engine/credentials.hpp>
#include <dockline/engine/daemon_choice.hpp>
#include <dockline/engine/docker_context.hpp>
#include <dockline/engine/system.hpp>

#include "doctor_report.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace dockline::tool {

// Which daemon is meant, and who says so.
void check_choice(const engine::daemon_sources& sources, const engine::client_options& chosen,
                  const engine::daemon_naming& naming, findings& daemon);

// Why nothing answered, or why there is no daemon to ask.
void check_failure(error_code code, const diagnostics& why, const engine::client_options& chosen,
                   findings& daemon);

// What a daemon has answered with. `free_bytes`: where it keeps its data, if that is known.
void check_daemon(const engine::ping_result& pong, const engine::version_result& version,
                  const engine::system_info& info, std::optional<std::uintmax_t> free_bytes,
                  findings& daemon);

// Docker's contexts.
void check_contexts(const engine::docker_context_list& list, findings& contexts);

// config.json in docker's directory, and the programs that it names.
void check_credentials(const std::string& config_directory, const std::string& search_path,
                       findings& credentials);

}  // namespace dockline::tool
