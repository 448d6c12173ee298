#include "progress/log_tail.hpp"

#include <algorithm>

namespace dockline::progress {

void log_tail::append(std::string_view bytes) {
  if (bytes.size() >= capacity) {
    kept_ = bytes.substr(bytes.size() - capacity);
    return;
  }
  // Twice the capacity, so that a byte is moved once at most.
  if (kept_.size() + bytes.size() > 2 * capacity) kept_.erase(0, kept_.size() + bytes.size() - capacity);
  kept_ += bytes;
}

std::string log_tail::last(std::size_t lines, std::size_t bytes) const {
  std::string_view text = kept_;
  text = text.substr(text.size() - std::min(text.size(), bytes));
  // A character that was cut loses its other bytes too.
  if (text.size() < kept_.size())
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xc0) == 0x80) text.remove_prefix(1);
  std::size_t start = text.size();
  std::size_t line_end = text.ends_with('\n') ? text.size() - 1 : text.size();
  for (; lines != 0 && start != 0; --lines) {
    const std::size_t before = line_end == 0 ? std::string_view::npos : text.rfind('\n', line_end - 1);
    start = before == std::string_view::npos ? 0 : before + 1;
    line_end = start == 0 ? 0 : before;
  }
  std::string tail(text.substr(start));
  if (!tail.empty() && tail.back() != '\n') tail += '\n';
  return tail;
}

}  // namespace dockline::progress
