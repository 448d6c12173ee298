#pragma once

#include <string_view>

namespace dockline::progress {

// Whether a step of BuildKit's is one that a build goes on without: a cache that cannot be had.
inline bool may_fail(std::string_view step) { return step.starts_with("importing cache manifest from "); }

}  // namespace dockline::progress
