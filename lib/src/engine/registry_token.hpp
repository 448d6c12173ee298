#pragma once

// A token for a registry: what is asked of the server that gives it, and what that answers. Without I/O.
//
// Source: distribution.github.io/distribution/spec/auth, "token" (GET) and "oauth" (POST).

#include "dockline/core/error.hpp"
#include "dockline/engine/registry_auth.hpp"

#include "engine/registry_challenge.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::engine {

// What a token is good for where its server does not say.
inline constexpr std::chrono::seconds usual_token_life{60};

struct registry_token {
  registry_token() = default;

  std::string value;
  std::chrono::seconds life = usual_token_life;  // from when it was issued
  std::chrono::sys_seconds issued{};             // the epoch where the server does not say
};

// The body of a POST to the realm, with a password or an identity token in it.
std::string token_form(const registry_challenge& challenge, const registry_auth& auth,
                       std::string_view client_id);
// The same credentials beside a GET of token_url(): the value of Authorization.
std::string basic_credentials(const registry_auth& auth);
// Whether a server that refuses the POST may be one that only knows the GET.
bool wants_get(int refusal, const registry_auth& auth) noexcept;

// The answer to either. Errors: errc::unexpected_answer.
result<registry_token> read_registry_token(std::string_view body, diagnostics& why);

// Whether there is a secret to ask for a token with, or a token already.
bool has_secret(const registry_auth& auth) noexcept;

// Whether credentials for `registry`, an image name's host, may go to the realm: by https; by http only to the
// registry's own host, or on this machine where the registry is there as well. How the registry itself was reached
// only the daemon knows.
bool may_have_credentials(const std::string& realm, const std::string& registry);

}  // namespace dockline::engine
