#include "dockline/archive/archive_format.hpp"

#include "archive/tar.hpp"

#include <algorithm>

namespace dockline::archive {
namespace {

constexpr std::size_t checksum_offset = 148;
constexpr std::size_t checksum_size = 8;

bool is_tar_header(std::string_view block) noexcept {
  std::string_view digits = block.substr(checksum_offset, checksum_size);
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  std::int64_t told = 0;
  std::size_t count = 0;
  for (; count < digits.size() && digits[count] >= '0' && digits[count] <= '7'; ++count)
    told = told * 8 + (digits[count] - '0');
  if (count == 0) return false;
  // The field counts as blanks. Old writers added signed characters.
  std::int64_t plain = 0;
  std::int64_t with_signs = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool field = i >= checksum_offset && i < checksum_offset + checksum_size;
    const char c = field ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_signs += static_cast<signed char>(c);
  }
  return told == plain || told == with_signs;
}

}  // namespace

archive_format detect_archive(std::string_view start) noexcept {
  if (start.starts_with("\x1F\x8B\x08")) return archive_format::gzip;
  if (start.starts_with("BZh")) return archive_format::bzip2;
  if (start.starts_with(std::string_view("\xFD"
                                         "7zXZ\0",
                                         6)))
    return archive_format::xz;
  if (start.starts_with("\x28\xB5\x2F\xFD")) return archive_format::zstd;
  // A frame to be skipped may come before zstd's own.
  if (start.size() >= 8 && (start[0] & '\xF0') == 0x50 && start.substr(1, 3) == "\x2A\x4D\x18")
    return archive_format::zstd;
  if (start.size() >= tar_block && is_tar_header(start.substr(0, tar_block))) return archive_format::tar;
  return archive_format::none;
}

}  // namespace dockline::archive
