// ISA-L deflates several times as fast as zlib at the levels that it has; above them zlib is asked.

#include "archive/deflate.hpp"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dockline::archive {
namespace {

std::uint8_t* isal_bytes(const char* data) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(data));
}

std::size_t working_memory(int level) {
  switch (level) {
    case 1: return ISAL_DEF_LVL1_DEFAULT;
    case 2: return ISAL_DEF_LVL2_DEFAULT;
    default: return ISAL_DEF_LVL3_DEFAULT;
  }
}

class isal_deflater final : public block_deflater {
 public:
  explicit isal_deflater(int level) : level_(level), memory_(working_memory(level)) {}

  void deflate(std::span<const char> block, std::span<const char> before, bool last,
               std::string& out) override {
    ::isal_deflate_init(&stream_);
    stream_.level = static_cast<std::uint32_t>(level_);
    stream_.level_buf = memory_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(memory_.size());
    stream_.gzip_flag = IGZIP_DEFLATE;
    if (!before.empty())
      ::isal_deflate_set_dict(&stream_, isal_bytes(before.data()), static_cast<std::uint32_t>(before.size()));
    stream_.next_in = isal_bytes(block.data());
    stream_.avail_in = static_cast<std::uint32_t>(block.size());
    stream_.end_of_stream = last ? 1 : 0;
    stream_.flush = last ? NO_FLUSH : SYNC_FLUSH;
    std::size_t used = out.size();
    constexpr std::size_t room = 4096;
    out.resize(used + block.size() + block.size() / 16 + room);
    for (;;) {
      stream_.next_out = isal_bytes(out.data() + used);
      stream_.avail_out = static_cast<std::uint32_t>(out.size() - used);
      ::isal_deflate(&stream_);
      used = out.size() - stream_.avail_out;
      // Room that is left shows that nothing waits for room any more.
      if (stream_.avail_in == 0 && stream_.avail_out > 0) break;
      out.resize(out.size() + block.size() / 2 + room);
    }
    out.erase(used);
  }

  std::uint32_t checksum(std::span<const char> block) const override {
    return ::crc32_gzip_refl(0, isal_bytes(block.data()), block.size());
  }

 private:
  int level_;
  std::vector<std::uint8_t> memory_;
  isal_zstream stream_{};
};

}  // namespace

std::unique_ptr<block_deflater> make_block_deflater(int level) {
  constexpr int highest = 3;
  if (level > highest) return make_zlib_deflater(level);
  return std::make_unique<isal_deflater>(level);
}

}  // namespace dockline::archive
