#pragma once

// Files of the user's settings: small, read whole, and JSON.

#include "dockline/core/error.hpp"
#include "dockline/engine/docker_context.hpp"

#include "core/json.hpp"

#include <optional>
#include <string>

namespace dockline {
class diagnostics;
}

namespace dockline::engine {

// The text of a regular file of at most 16 MiB; empty when there is none.
// Errors: errc::bad_configuration; the diagnostics name the path and the reason.
result<std::optional<std::string>> read_settings_file(const std::string& path, diagnostics& why);

// Parses the text of such a file, which has to be an object.
// Errors: errc::bad_configuration; the diagnostics name the path, line and column.
result<json::document> parse_settings(std::string_view text, std::string_view path, diagnostics& why);

// The meta.json of one of docker's contexts; whether it has TLS files is not told there.
// Errors: errc::bad_configuration, with path and place.
result<docker_context> parse_docker_context(std::string_view text, const std::string& path, diagnostics& why);

}  // namespace dockline::engine
