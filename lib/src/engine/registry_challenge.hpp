#pragma once

// How a registry says where the token for it is to be had: WWW-Authenticate: Bearer realm="…",service="…".

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {

struct registry_challenge {
  registry_challenge() = default;

  std::string realm;  // a URL
  std::string service;
  std::vector<std::string> scopes;
};

// Empty for another scheme, for what is malformed, and without a realm. Source: RFC 9110, section 11.6.1.
std::optional<registry_challenge> read_challenge(std::string_view field);

// The URL that gives the token: the realm, with service and scopes in its query.
std::string token_url(const registry_challenge& challenge);

}  // namespace dockline::engine
