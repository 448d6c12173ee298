#include "table.hpp"

#include <dockline/progress/printable.hpp>

#include <algorithm>
#include <cstddef>

namespace dockline::tool {
namespace {

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    auto& shown = cells.emplace_back();
    for (const auto& cell : row) {
      shown.push_back(progress::printable(cell));
      if (widths.size() < shown.size()) widths.push_back(0);
      std::size_t& width = widths[shown.size() - 1];
      width = std::max(width, characters(shown.back()));
    }
  }
  std::string text;
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      // Nothing stands behind the last column.
      if (i + 1 < row.size()) text.append(widths[i] + 3 - characters(row[i]), ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace dockline::tool
