#pragma once

#include "dockline/core/error.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace dockline {

class diagnostics;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// The text of a regular file of at most `longest` bytes, a number of MiB; empty where there is none. Waits for
// the disk, never for the writer of a pipe.
// Errors: errc::bad_configuration with the path and the reason.
result<std::optional<std::string>> read_small_file(const std::string& path, diagnostics& why,
                                                   std::size_t longest = mebibyte);

}  // namespace dockline
