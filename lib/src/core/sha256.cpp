#include "core/sha256.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace dockline {

// The functions that compute and do nothing else are deprecated, since they pass over OpenSSL's providers; SHA256(),
// which is not, asks one. (OPENSSL_SUPPRESS_DEPRECATED would come too late where several sources are compiled as one.)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

std::string sha256(std::string_view bytes) {
  SHA256_CTX sum;
  SHA256_Init(&sum);
  SHA256_Update(&sum, bytes.data(), bytes.size());
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &sum);
  return digest;
}

#pragma GCC diagnostic pop

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  const bool made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                         reinterpret_cast<unsigned char*>(digest.data()), nullptr) != nullptr;
  if (!made) digest.clear();
  return digest;
}

}  // namespace dockline
