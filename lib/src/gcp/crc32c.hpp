#pragma once

#include <boost/asio/buffer.hpp>

#include <cstdint>
#include <string>

namespace dockline::gcp {

// CRC32C (Castagnoli), over bytes that come in pieces. What is fast and what is portable is one file or the
// other.
class crc32c {
 public:
  void add(boost::asio::const_buffer bytes);
  std::uint32_t value() const noexcept { return value_; }
  // As Cloud Storage writes it: base64 of the four bytes, the highest first.
  std::string text() const;

 private:
  std::uint32_t value_ = 0;
};

}  // namespace dockline::gcp
