#include "archive/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <thread>

namespace dockline::archive {
namespace {

// A high level takes a millisecond for it. Whoever waits for the processor comes next.
constexpr std::size_t piece_size = std::size_t{64} << 10;

Bytef* zlib_bytes(const char* data) { return reinterpret_cast<Bytef*>(const_cast<char*>(data)); }

class zlib_deflater final : public block_deflater {
 public:
  explicit zlib_deflater(int level) {
    constexpr int no_wrapper = -15;
    constexpr int most_memory = 9;  // fewer, larger deflate blocks
    if (::deflateInit2(&stream_, level, Z_DEFLATED, no_wrapper, most_memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  zlib_deflater(const zlib_deflater&) = delete;
  zlib_deflater& operator=(const zlib_deflater&) = delete;
  ~zlib_deflater() override { ::deflateEnd(&stream_); }

  void deflate(std::span<const char> block, std::span<const char> before, bool last,
               std::string& out) override {
    ::deflateReset(&stream_);
    if (!before.empty()) {
      ::deflateSetDictionary(&stream_, zlib_bytes(before.data()), static_cast<uInt>(before.size()));
    }
    const std::size_t start = out.size();
    std::size_t used = start;
    constexpr std::size_t flush_room = 64;
    out.resize(start + ::deflateBound(&stream_, static_cast<uLong>(block.size())) + flush_room);
    const Bytef* const end = zlib_bytes(block.data()) + block.size();
    stream_.next_in = zlib_bytes(block.data());
    for (;;) {
      const auto left = static_cast<std::size_t>(end - stream_.next_in);
      const bool whole = left <= piece_size;
      stream_.avail_in = static_cast<uInt>(std::min(left, piece_size));
      stream_.next_out = zlib_bytes(out.data() + used);
      stream_.avail_out = static_cast<uInt>(out.size() - used);
      const int status = ::deflate(&stream_, !whole ? Z_NO_FLUSH : last ? Z_FINISH : Z_SYNC_FLUSH);
      used = out.size() - stream_.avail_out;
      if (whole && (last ? status == Z_STREAM_END : stream_.avail_out > 0)) break;
      if (stream_.avail_out == 0) out.resize(out.size() + block.size() + flush_room);
      std::this_thread::yield();
    }
    out.erase(used);
  }

  std::uint32_t checksum(std::span<const char> block) const override {
    return static_cast<std::uint32_t>(::crc32_z(0, zlib_bytes(block.data()), block.size()));
  }

 private:
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<block_deflater> make_zlib_deflater(int level) {
  return std::make_unique<zlib_deflater>(level);
}

std::uint32_t joined_checksum(std::uint32_t first, std::uint32_t second, std::uint64_t length) {
  return static_cast<std::uint32_t>(::crc32_combine(first, second, static_cast<z_off_t>(length)));
}

}  // namespace dockline::archive
