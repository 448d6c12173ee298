#pragma once

// A private key of OpenSSL's, and what is signed with it.

#include "dockline/core/error.hpp"

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace dockline {

struct evp_key_release {
  void operator()(EVP_PKEY* key) const noexcept;
};
using evp_key = std::unique_ptr<EVP_PKEY, evp_key_release>;

// The signature of the text. `digest` null: for a kind of key that brings its own. Errors: not_enough_memory;
// errc::bad_configuration for a key that cannot sign in that way.
result<std::string> sign_with(const evp_key& key, const EVP_MD* digest, std::string_view text);

}  // namespace dockline
