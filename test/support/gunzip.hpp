#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

namespace dockline::test {

// zlib's reader: one member, its checksum and length verified, nothing behind it. Empty text on failure.
inline std::string gunzip(const std::string& packed, bool raw = false) {
  z_stream stream{};
  REQUIRE(::inflateInit2(&stream, raw ? -15 : 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  std::string block(1 << 16, '\0');
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    status = ::inflate(&stream, Z_NO_FLUSH);
    plain.append(block, 0, block.size() - stream.avail_out);
  }
  CHECK(status == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  ::inflateEnd(&stream);
  return plain;
}

}  // namespace dockline::test
