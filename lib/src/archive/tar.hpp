#pragma once

// The headers of a tar as the docker CLI writes them: ustar where everything fits, else a PAX header before
// it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dockline::archive {

inline constexpr std::size_t tar_block = 512;

// The end of a tar: two blocks of zeros.
inline constexpr std::size_t tar_trailer = 2 * tar_block;

enum class tar_type : char {
  regular = '0',
  hard_link = '1',
  symlink = '2',
  character_device = '3',
  block_device = '4',
  directory = '5',
  fifo = '6'
};

struct tar_header {
  tar_header() = default;

  tar_type type = tar_type::regular;
  std::string_view name;  // a directory's ends in '/'
  std::string_view link;  // what a symbolic or hard link points to
  std::uint32_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::string_view capability;  // security.capability, raw
};

// Appends the header's blocks.
void append_tar_header(std::string& out, const tar_header& header);

// How many zeros follow content of this size.
constexpr std::size_t tar_padding(std::uint64_t size) noexcept {
  return static_cast<std::size_t>((tar_block - size % tar_block) % tar_block);
}

}  // namespace dockline::archive
