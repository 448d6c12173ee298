#pragma once

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::http {

// Where a daemon listens.
struct address {
  address() = default;

  // The path of a Unix socket, as it goes into the socket address: absolute, at most 107 bytes.
  std::string path;
};

// Reads `unix:///run/docker.sock`, the form that DOCKER_HOST and `--host` have.
// Errors: errc::invalid_address; the diagnostics say what is wrong with it.
DOCKLINE_API result<address> parse_address(std::string_view text, diagnostics& why);

// The address as parse_address reads it.
DOCKLINE_API std::string to_string(const address& where);

}  // namespace dockline::http
