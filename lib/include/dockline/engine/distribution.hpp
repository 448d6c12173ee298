#pragma once

// What a registry has, asked by the daemon without pulling: GET /distribution/{name}/json.

#include "dockline/engine/client.hpp"
#include "dockline/engine/registry_auth.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// What a registry has under a name.
struct distribution_info {
  distribution_info() = default;

  std::string media_type;              // of the manifest or the index
  std::string digest;                  // "sha256:…"
  std::int64_t size = 0;               // bytes of the manifest itself
  std::vector<std::string> platforms;  // "linux/amd64", "linux/arm/v7"
};

DOCKLINE_API void start_distribution_inspect(client daemon, std::string name, registry_auth auth,
                                             diagnostics* why, completion_handler<distribution_info> handler);

// Asks the registry of `name` for its manifest: whether an image is there, and for which platforms.
//
// Completion: when the answer is there.
// Signature: void(error_code, distribution_info).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once.
// Errors: errc::invalid_reference for a name that is none, and errc::unsupported_parameter before API 1.30,
// both before that request is sent; errc::unauthorized, errc::denied and errc::not_found, which dockerd 20 tells
// apart less well than later ones (a missing image may be unauthorized there, as the registry has it);
// errc::not_found from podman, which lacks this endpoint; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, DistributionInspect, since 1.30.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_distribution_inspect(const client& daemon, std::string name, registry_auth auth, diagnostics& why,
                                Token&& token = {}) {
  return initiate<distribution_info>(&start_distribution_inspect, std::forward<Token>(token), &why, daemon,
                                     std::move(name), std::move(auth));
}
template <class Token = default_token>
auto async_distribution_inspect(const client& daemon, std::string name, registry_auth auth,
                                Token&& token = {}) {
  return initiate<distribution_info>(&start_distribution_inspect, std::forward<Token>(token), nullptr, daemon,
                                     std::move(name), std::move(auth));
}

}  // namespace dockline::engine
