#pragma once

// Telling an archive from a Dockerfile by its first bytes, as docker does with what comes from standard
// input.

#include "dockline/core/export.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dockline::archive {

// What docker tells apart by the first bytes.
enum class archive_format : std::uint8_t {
  none,   // no archive: a Dockerfile
  tar,    // not compressed
  gzip,   // RFC 1952, with whatever inside
  bzip2,  // "BZh"
  xz,     // LZMA2, as xz writes it
  zstd    // RFC 8878, also behind skippable frames
};

// How many bytes detect_archive() wants to see; fewer only where there are no more.
inline constexpr std::size_t archive_probe_size = 1024;

// What `start` is the start of. `tar` needs a whole header with a right checksum; a text is `none`. Daemons
// take all of these as a context but for zstd, which older ones do not know and BuildKit takes for a
// Dockerfile.
DOCKLINE_API archive_format detect_archive(std::string_view start) noexcept;

}  // namespace dockline::archive
