#pragma once

// POST /auth: whether a registry takes credentials.

#include "dockline/engine/client.hpp"
#include "dockline/engine/registry_auth.hpp"

#include <string>
#include <utility>

namespace dockline::engine {

// What the registry answered to a login.
struct auth_check_result {
  auth_check_result() = default;

  std::string status;          // in the daemon's words: "Login Succeeded"
  std::string identity_token;  // to be used instead of the password from now on; usually empty
};

DOCKLINE_API void start_auth_check(client daemon, registry_auth auth, diagnostics* why,
                                   completion_handler<auth_check_result> handler);

// Has the daemon log in to the registry `auth.server_address`, Docker Hub when that is empty, and forget it.
//
// Completion: when the daemon has the registry's answer.
// Signature: void(error_code, auth_check_result).
// Lifetimes: `why` stays until completion; all else is kept by the operation.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::unauthorized where the daemon says so; dockerd (20.10 to 28) answers 500 to wrong credentials
// just as to a registry that it cannot reach, which is errc::service_failed; the daemon's words tell. podman
// insists on HTTPS whatever its configuration says. Also those of async_ping, and errc::malformed_json.
// Source: Docker Engine API, SystemAuth, since 1.0.
// Example: docs/credentials.md.
template <class Token = default_token>
auto async_auth_check(const client& daemon, registry_auth auth, diagnostics& why, Token&& token = {}) {
  return initiate<auth_check_result>(&start_auth_check, std::forward<Token>(token), &why, daemon,
                                     std::move(auth));
}
template <class Token = default_token>
auto async_auth_check(const client& daemon, registry_auth auth, Token&& token = {}) {
  return initiate<auth_check_result>(&start_auth_check, std::forward<Token>(token), nullptr, daemon,
                                     std::move(auth));
}

}  // namespace dockline::engine
