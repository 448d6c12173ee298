#pragma once

// How the daemon logs in to a registry on the caller's behalf.

#include "dockline/core/export.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace dockline::engine {

// The credentials of one registry, as the Engine API takes them. Default-constructed ones are anonymous.
// They are sent to the daemon with the request that they were given to, or to the server that gives tokens for the
// registry (token_fetching), and nowhere else: no event, error or
// warning of this library holds any of them.
struct registry_auth {
  registry_auth() = default;
  // A user and a password or access token.
  registry_auth(std::string user, std::string secret)
      : username(std::move(user)), password(std::move(secret)) {}

  std::string username;  // empty for a token
  std::string password;  // or an access token that takes its place
  // A refresh token that the registry's token service gave at login; instead of a password.
  std::string identity_token;
  // A bearer token that is shown to the registry as it is; instead of everything else.
  std::string registry_token;
  // Which registry they are for: "127.0.0.1:5000", Docker Hub is "https://index.docker.io/v1/". May be empty
  // where the request itself names an image.
  std::string server_address;

  bool operator==(const registry_auth&) const = default;  // field by field

  // Whether there is nothing to log in with.
  bool anonymous() const noexcept {
    return username.empty() && password.empty() && identity_token.empty() && registry_token.empty();
  }
};

// The name under which docker files the credentials of a registry: the host and port of an image's name, and
// for Docker Hub, whose images have the domain "docker.io", "https://index.docker.io/v1/". Takes any way of
// writing a registry: with a scheme, with a path such as "/v1/" or "/v2/", Hub as "docker.io",
// "index.docker.io" or "registry-1.docker.io".
DOCKLINE_API std::string registry_key(std::string_view registry);

}  // namespace dockline::engine
