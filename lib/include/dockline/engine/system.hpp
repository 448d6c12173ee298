#pragma once

// What the daemon is: GET /_ping and GET /version.

#include "dockline/engine/client.hpp"

#include <string>
#include <utility>

namespace dockline::engine {

// What /_ping answers with. Whatever the daemon did not say is empty.
struct ping_result {
  ping_result() = default;

  std::string api_version;         // the newest that the daemon speaks: "1.41"
  std::string os_type;             // "linux"
  std::string builder_version;     // the builder it prefers: "1" classic, "2" BuildKit
  std::string server;              // "Docker/20.10.24+dfsg1 (linux)"
  std::string libpod_version;      // not empty when the daemon is podman
  std::string negotiated_version;  // what this client speaks with it
  bool experimental = false;
};

// What /version answers with.
struct version_result {
  version_result() = default;

  std::string version;          // of the daemon: "20.10.24+dfsg1"
  std::string api_version;      // newest: "1.41"
  std::string min_api_version;  // oldest: "1.12"
  std::string os;
  std::string arch;
  std::string kernel_version;
  std::string git_commit;
  std::string go_version;
  std::string build_time;
  std::string platform_name;  // "Docker Engine - Community", "" or podman's
};

DOCKLINE_API void start_ping(client daemon, diagnostics* why, completion_handler<ping_result> handler);
DOCKLINE_API void start_version(client daemon, diagnostics* why, completion_handler<version_result> handler);

// Asks the daemon whether it is there and which API versions it speaks; needs no negotiated version.
//
// Completion: when the answer is there. Signature: void(error_code, ping_result).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::cannot_connect, no_permission, timed_out, connection_lost, malformed_http, and those that
// stand for the daemon's status.
// Source: Docker Engine API, SystemPing, since 1.0 (the version headers since 1.25).
template <class Token = default_token>
auto async_ping(const client& daemon, diagnostics& why, Token&& token = {}) {
  return initiate<ping_result>(&start_ping, std::forward<Token>(token), &why, daemon);
}
template <class Token = default_token>
auto async_ping(const client& daemon, Token&& token = {}) {
  return initiate<ping_result>(&start_ping, std::forward<Token>(token), nullptr, daemon);
}

// Asks the daemon for its versions.
//
// Completion: when the answer is there. Signature: void(error_code, version_result).
// Lifetimes, cancellation, errors: as async_ping, and errc::malformed_json.
// Source: Docker Engine API, SystemVersion, since 1.0.
template <class Token = default_token>
auto async_version(const client& daemon, diagnostics& why, Token&& token = {}) {
  return initiate<version_result>(&start_version, std::forward<Token>(token), &why, daemon);
}
template <class Token = default_token>
auto async_version(const client& daemon, Token&& token = {}) {
  return initiate<version_result>(&start_version, std::forward<Token>(token), nullptr, daemon);
}

}  // namespace dockline::engine
