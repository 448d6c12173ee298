#include "gcp/crc32c.hpp"

#include "core/encoding.hpp"

namespace dockline::gcp {

std::string crc32c::text() const {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value_ >> shift & 0xff);
  return encode_base64(bytes);
}

}  // namespace dockline::gcp
