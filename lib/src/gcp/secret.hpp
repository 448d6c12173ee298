#pragma once

#include <openssl/crypto.h>

#include <string>

namespace dockline::gcp {

// Overwrites a secret that is no longer needed.
inline void wipe(std::string& secret) noexcept {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace dockline::gcp
