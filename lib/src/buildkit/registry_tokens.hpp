#pragma once

// moby.filesync.v1.Auth: with which credentials the daemon logs in to a registry, asked host by host when the
// build first needs it.
//
// A registry that wants a password gets it by the daemon (Credentials). For one that wants a token BuildKit first
// asks for an authority (GetTokenAuthority); where this side is one, it is asked for each token (FetchToken), and a
// later session proves by a signature that it has the same credentials (VerifyTokenAuthority). Where it is none the
// daemon asks for the credentials, and fetches the tokens itself.
//
// Source: moby/buildkit, session/auth/auth.proto, session/auth/authprovider and util/resolver/authorizer.go.

#include "dockline/engine/credentials.hpp"
#include "dockline/engine/registry_auth.hpp"
#include "dockline/engine/token_fetching.hpp"

#include "grpc/service.hpp"
#include "http/exchange.hpp"

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
  // Who fetches tokens where there are credentials; without any it is the daemon.
  engine::token_fetching tokens;
  // Gives each request for a token its number and its observer; empty: nobody looks.
  std::function<void(http::request&)> watch;
  // What is wrong with a helper program, without a secret. On the session's executor.
  std::function<void(std::string text)> on_warning;
};

// Adds the methods. A registry is looked up once in some minutes, however often and by however many calls it is asked
// for: what a helper gives may be a token that does not live longer.
void offer_logins(grpc::service& to, registry_logins logins);

}  // namespace dockline::buildkit
