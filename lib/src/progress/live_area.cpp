#include "progress/live_area.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace dockline::progress {
namespace {

// Synchronised output, no cursor, no automatic wrap; and back. A character whose width the terminal sees
// otherwise than we do then costs the end of a line, not the shape of the display.
constexpr std::string_view before = "\x1b[?2026h\x1b[?25l\x1b[?7l";
constexpr std::string_view after = "\x1b[?7h\x1b[?25h\x1b[?2026l";

std::string up(std::size_t lines) { return "\r\x1b[" + std::to_string(lines) + 'A'; }
std::string down(std::size_t lines) { return "\r\x1b[" + std::to_string(lines) + 'B'; }

}  // namespace

std::string live_area::draw(const std::vector<drawn_line>& above, std::vector<drawn_line> lines) {
  std::string out;
  const std::size_t known = drawn_.size();
  const std::size_t wanted = above.size() + lines.size();
  std::size_t cursor = known;
  const auto go = [&](std::size_t line) {
    if (line < cursor) out += up(cursor - line);
    if (line > cursor) out += down(line - cursor);
    cursor = line;
  };
  for (std::size_t i = 0; i < wanted; ++i) {
    const drawn_line& line = i < above.size() ? above[i] : lines[i - above.size()];
    if (i < known && drawn_[i] == line) continue;
    go(i);
    out += line.bytes;
    out += "\x1b[K\r\n";
    ++cursor;
  }
  if (wanted < known) {
    go(wanted);
    out += "\x1b[J";
  }
  go(wanted);
  drawn_ = std::move(lines);
  if (out.empty()) return out;
  return std::string(before).append(out).append(after);
}

std::string live_area::erase_for(int width, int height) {
  std::size_t rows = 0;
  for (const drawn_line& line : drawn_)
    rows += static_cast<std::size_t>(std::max(1, (line.columns + width - 1) / width));
  rows = std::min(rows, static_cast<std::size_t>(std::max(height - 1, 0)));
  drawn_.clear();
  return rows == 0 ? std::string() : up(rows) + "\x1b[J";
}

}  // namespace dockline::progress
