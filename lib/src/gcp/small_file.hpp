#pragma once

#include "dockline/core/error.hpp"

#include <optional>
#include <string>

namespace dockline {
class diagnostics;
}

namespace dockline::gcp {

// The text of a file of some kilobytes; empty where there is none. Waits for the disk.
// Errors: errc::bad_configuration with the path and the reason.
result<std::optional<std::string>> read_small_file(const std::string& path, diagnostics& why);

}  // namespace dockline::gcp
