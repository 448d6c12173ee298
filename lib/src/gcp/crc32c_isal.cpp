#include "gcp/crc32c.hpp"

#include <isa-l/crc.h>

#include <algorithm>

namespace dockline::gcp {

void crc32c::add(boost::asio::const_buffer bytes) {
  // ISA-L counts in an int, and leaves the inversion at both ends to whoever calls.
  while (bytes.size() > 0) {
    const std::size_t some = std::min<std::size_t>(bytes.size(), std::size_t{1} << 30);
    auto* const data = static_cast<unsigned char*>(const_cast<void*>(bytes.data()));
    value_ = ~crc32_iscsi(data, static_cast<int>(some), ~value_);
    bytes += some;
  }
}

}  // namespace dockline::gcp
