#pragma once

// The request of each endpoint, from its options, without I/O. Tested from tables of golden texts.

#include "dockline/engine/attach.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/containers.hpp"
#include "dockline/engine/images.hpp"

#include "engine/endpoint.hpp"

#include <string_view>

namespace dockline::engine::requests {

// Errors: errc::invalid_reference and errc::invalid_argument for what breaks a rule that is known here,
// errc::unsupported_parameter for what `version` lacks.
result<endpoint> build(const build_options& options, api_version version, diagnostics& why);
// The part of build() that needs no version: so that bad input is found before anything is sent.
result<void> check(const build_options& options, diagnostics& why);

endpoint image_inspect(std::string_view name);
endpoint image_remove(std::string_view name, const image_remove_options& options);

result<endpoint> container_create(const container_options& options, api_version version, diagnostics& why);
endpoint container_start(std::string_view id);
endpoint container_wait(std::string_view id);
endpoint container_logs(std::string_view id, const logs_options& options);
endpoint container_attach(std::string_view id, const attach_options& options);
endpoint container_kill(std::string_view id, std::string_view signal);
endpoint container_remove(std::string_view id, const remove_options& options);

}  // namespace dockline::engine::requests
