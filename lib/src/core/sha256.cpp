// The functions that compute and do nothing else are deprecated, since they pass over OpenSSL's providers; SHA256(),
// which is not, asks one.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/sha256.hpp"

#include <openssl/sha.h>

namespace dockline {

std::string sha256(std::string_view bytes) {
  SHA256_CTX sum;
  SHA256_Init(&sum);
  SHA256_Update(&sum, bytes.data(), bytes.size());
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &sum);
  return digest;
}

}  // namespace dockline
