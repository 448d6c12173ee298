#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace dockline::test {

// How many there are: of /proc/self/fd the descriptors (and one for the question), of /proc/self/task the threads.
inline std::size_t entries_of(const char* folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace dockline::test
