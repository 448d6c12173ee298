#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dockline::progress {

// Keeps the last lines of what a step wrote, however much that is.
class log_tail {
 public:
  void clear() noexcept { kept_.clear(); }
  void append(std::string_view bytes);

  // At most `lines` lines and `bytes` bytes of the end, '\n' after each line. A line that is too long loses
  // its beginning.
  std::string last(std::size_t lines, std::size_t bytes) const;

 private:
  static constexpr std::size_t capacity = 32 * 1024;

  std::string kept_;
};

}  // namespace dockline::progress
