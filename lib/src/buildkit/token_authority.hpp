#pragma once

// How a daemon knows that two sessions have the same credentials for a registry, without being told them: a key that
// only they can have, with which each of them signs what the daemon makes up. Tokens that one of them fetched it then
// uses for the other one.
//
// The key is an Ed25519 key of RFC 8032. Its seed is made from the credentials, a secret of this process, and a salt
// of the daemon's: neither side can choose it, and what one daemon learns is nothing to another.
// Source: moby/buildkit, session/auth/auth.go.

#include "dockline/core/error.hpp"
#include "dockline/engine/registry_auth.hpp"

#include "core/evp_key.hpp"

#include <string>
#include <string_view>

namespace dockline::buildkit {

class token_authority {
 public:
  // Errors: not_enough_memory, which is what an OpenSSL without Ed25519 comes to as well.
  static result<token_authority> make(std::string_view host, const engine::registry_auth& auth,
                                      std::string_view salt);

  // 32 bytes. Empty where OpenSSL fails.
  std::string public_key() const;
  // The signature, 64 bytes, and the text behind it: a "signed message" of NaCl. Empty where OpenSSL fails.
  std::string sign(std::string_view text) const;

 private:
  evp_key key_;
};

}  // namespace dockline::buildkit
