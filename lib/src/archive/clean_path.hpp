#pragma once

#include <string>
#include <string_view>

namespace dockline::archive {

// The shortest path that means the same by its text alone, as Go's filepath.Clean makes it: "." for nothing,
// no doubled or final slashes, "." and "x/.." dropped, ".." at the start kept.
std::string clean_path(std::string_view path);

}  // namespace dockline::archive
