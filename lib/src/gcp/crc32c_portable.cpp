#include "gcp/crc32c.hpp"

#include <boost/crc.hpp>

namespace dockline::gcp {

void crc32c::add(boost::asio::const_buffer bytes) {
  // Reflected at both ends, so the remainder that it begins with is the last value's bits in reverse order.
  std::uint32_t begin = 0;
  for (int bit = 0; bit < 32; ++bit) begin |= (~value_ >> bit & 1U) << (31 - bit);
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc(begin);
  crc.process_bytes(bytes.data(), bytes.size());
  value_ = crc.checksum();
}

}  // namespace dockline::gcp
