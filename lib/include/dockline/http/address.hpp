#pragma once

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::http {

// What carries the bytes to a daemon.
enum class transport {
  unix_socket,  // unix://
  tcp,          // tcp://, with TLS or without
  ssh           // ssh://: the program ssh, and docker on the other host
};

// Where a daemon listens.
struct address {
  address() = default;

  // What carries the bytes.
  transport over = transport::unix_socket;

  // unix: the path of the socket, as it goes into the socket address: absolute, at most 107 bytes.
  // ssh: the path of the socket on the other host; empty where docker there decides.
  std::string path;

  std::string user;  // ssh; empty: as ssh is configured
  std::string host;  // tcp, ssh: a name or an IP address, without brackets
  // tcp, ssh; 0: the usual one, which is 2375, or 2376 with TLS, or as ssh is configured.
  std::uint16_t port = 0;
};

// Reads the forms that DOCKER_HOST and `--host` have: `unix:///run/docker.sock`, `tcp://HOST[:PORT]` (an IPv6
// address in brackets; without a host: localhost; the scheme may be left out before HOST:PORT),
// `ssh://[USER@]HOST[:PORT][/PATH/OF/SOCKET]`.
// Errors: errc::invalid_address; the diagnostics say what is wrong with it.
DOCKLINE_API result<address> parse_address(std::string_view text, diagnostics& why);

// The address as parse_address reads it.
DOCKLINE_API std::string to_string(const address& where);

}  // namespace dockline::http
