#include "progress/columns.hpp"

#include "progress/char_width.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace dockline::progress {
namespace {

constexpr int tab_size = 8;
constexpr std::string_view ellipsis = "\xe2\x80\xa6";

// The character at the start of valid UTF-8, and its size.
std::pair<char32_t, std::size_t> first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t size = 1;
  char32_t character = lead;
  if (lead >= 0xf0) {
    size = 4;
    character = lead & 0x07U;
  } else if (lead >= 0xe0) {
    size = 3;
    character = lead & 0x0fU;
  } else if (lead >= 0xc0) {
    size = 2;
    character = lead & 0x1fU;
  }
  size = std::min(size, text.size());
  for (std::size_t i = 1; i < size; ++i)
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  return {character, size};
}

}  // namespace

columns::columns(std::function<int(char32_t)> width_of) : width_of_(std::move(width_of)) {
  if (!width_of_) width_of_ = char_width;
}

std::string columns::without_tabs(std::string_view text) {
  std::string spaced;
  spaced.reserve(text.size());
  for (const char letter : text) {
    if (letter != '\t')
      spaced += letter;
    else
      spaced.append(tab_size - spaced.size() % tab_size, ' ');
  }
  return spaced;
}

std::size_t columns::prefix(std::string_view text, int most, int& used) const {
  used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto [character, size] = first_character(text.substr(at));
    // What a function of the caller's may say of a character that it does not know is -1.
    const int width = std::clamp(width_of_(character), 0, 2);
    if (used + width > most) break;
    used += width;
    at += size;
  }
  return at;
}

int columns::count(std::string_view text) const {
  int used = 0;
  prefix(text, std::numeric_limits<int>::max() - 2, used);
  return used;
}

drawn_line columns::cut(std::string_view text, int most) const {
  int used = 0;
  std::size_t size = prefix(text, std::max(most, 0), used);
  if (size == text.size()) return {std::string(text), used};
  if (most <= 0) return {};
  size = prefix(text, most - 1, used);
  return {std::string(text.substr(0, size)).append(ellipsis), used + 1};
}

std::vector<drawn_line> columns::wrap(std::string_view text, int most) const {
  std::vector<drawn_line> lines;
  do {
    int used = 0;
    std::size_t size = prefix(text, std::max(most, 1), used);
    // A wide character in a single column: it is left out, or there would be no end.
    if (size == 0 && !text.empty()) {
      text.remove_prefix(first_character(text).second);
      continue;
    }
    lines.emplace_back(std::string(text.substr(0, size)), used);
    text.remove_prefix(size);
  } while (!text.empty());
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace dockline::progress
