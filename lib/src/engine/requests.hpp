#pragma once

// The requests of a build and of running a container, from their options, without I/O. Like those of the
// other families (*_requests.hpp) they are tested from tables of golden texts.

#include "dockline/engine/attach.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/containers.hpp"

#include "engine/endpoint.hpp"

#include <string_view>

namespace dockline::engine::requests {

// Whether the options of a build keep the rules that are known here, so that bad input is found before
// anything is sent. Errors: errc::invalid_reference and errc::invalid_argument.
result<void> check(const build_options& options, diagnostics& why);
// The request of options that check() has passed. Errors: errc::unsupported_parameter for what `version`
// lacks.
result<endpoint> build(const build_options& options, api_version version, diagnostics& why);

result<endpoint> container_create(const container_options& options, api_version version, diagnostics& why);
endpoint container_start(std::string_view id);
endpoint container_wait(std::string_view id);
// Errors: errc::unsupported_parameter for what `version` lacks.
result<endpoint> container_logs(std::string_view id, const logs_options& options, api_version version,
                                diagnostics& why);
endpoint container_attach(std::string_view id, const attach_options& options);
endpoint container_kill(std::string_view id, std::string_view signal);
endpoint container_remove(std::string_view id, const remove_options& options);

}  // namespace dockline::engine::requests
