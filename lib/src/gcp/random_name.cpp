#include "gcp/random_name.hpp"

#include "core/encoding.hpp"

#include <openssl/rand.h>

#include <array>

namespace dockline::gcp {

std::string random_name(std::string_view prefix) {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return std::string(prefix) + encode_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace dockline::gcp
