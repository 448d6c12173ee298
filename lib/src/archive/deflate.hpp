#pragma once

// Compression of one block of a gzip stream, whatever library does it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace dockline::archive {

// How far back deflate refers.
inline constexpr std::size_t deflate_window = 32 * 1024;

// For one thread at a time; its memory is kept from block to block.
class block_deflater {
 public:
  virtual ~block_deflater() = default;

  // Appends `block` to `out` as deflate, ended on a byte boundary, so that the next block's can follow.
  // `before` is what precedes the block in the stream, at most deflate_window bytes, and is referred to.
  // `last` ends the deflate stream.
  virtual void deflate(std::span<const char> block, std::span<const char> before, bool last,
                       std::string& out) = 0;

  // The CRC-32 of gzip.
  virtual std::uint32_t checksum(std::span<const char> block) const = 0;
};

// The fastest that this build has for a level of 1 to 9.
std::unique_ptr<block_deflater> make_block_deflater(int level);

// zlib's, at every level.
std::unique_ptr<block_deflater> make_zlib_deflater(int level);

// The checksum of two blocks that follow each other, of which the second has `length` bytes.
std::uint32_t joined_checksum(std::uint32_t first, std::uint32_t second, std::uint64_t length);

}  // namespace dockline::archive
