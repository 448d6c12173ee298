#pragma once

// moby.filesync.v1.Auth: with which credentials the daemon logs in to a registry, asked host by host when the
// build first needs it.
//
// The tokens themselves the daemon fetches: it does when this side says that it is no authority for tokens,
// which BuildKit has for clients that must not reach the registry themselves. One that was configured as a
// token cannot be passed on this way, and is not.
//
// Source: moby/buildkit, session/auth/auth.proto and util/resolver/authorizer.go.

#include "dockline/engine/credentials.hpp"
#include "dockline/engine/registry_auth.hpp"

#include "grpc/service.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace dockline::buildkit {

struct registry_logins {
  registry_logins() = default;

  // By registry, in any way of writing it; looked at first. An anonymous one is spoken to anonymously.
  std::map<std::string, engine::registry_auth> known;
  // Where all others are looked for; empty: they are anonymous.
  std::optional<engine::credential_store> store;
  // What is wrong with a helper program, without a secret. On the session's executor.
  std::function<void(std::string text)> on_warning;
};

// Adds the methods. A registry is looked up once, however often and by however many calls it is asked for.
void offer_logins(grpc::service& to, registry_logins logins);

}  // namespace dockline::buildkit
