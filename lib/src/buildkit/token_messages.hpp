#pragma once

// The messages of moby.filesync.v1.Auth that are about tokens, without I/O.

#include "engine/registry_challenge.hpp"
#include "engine/registry_token.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dockline::buildkit {

// FetchTokenRequest.
struct token_request {
  token_request() = default;

  std::string client_id;
  std::string host;  // the registry's
  engine::registry_challenge challenge;
};
// Nothing where the bytes are no message, or where it names more scopes than a registry has.
std::optional<token_request> read_token_request(std::string_view message);
// FetchTokenResponse.
std::string encode_token_response(const engine::registry_token& token);

// GetTokenAuthorityRequest, and VerifyTokenAuthorityRequest, which has a payload as well.
struct authority_request {
  authority_request() = default;

  std::string host;
  std::string salt;
  std::string payload;
};
std::optional<authority_request> read_authority_request(std::string_view message, bool with_payload);
// The answer to either, which has one field of bytes.
std::string encode_authority_response(std::string_view bytes);

}  // namespace dockline::buildkit
