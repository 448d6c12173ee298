#pragma once

// Text measured in the columns of a terminal.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::progress {

// A line as it is drawn. Its bytes may have colours, which take no column.
struct drawn_line {
  drawn_line() = default;
  drawn_line(std::string text, int size) : bytes(std::move(text)), columns(size) {}
  bool operator==(const drawn_line&) const = default;

  std::string bytes;
  int columns = 0;
};

// Lays text out that is valid UTF-8 without control characters but for tabs, as printable() gives it.
class columns {
 public:
  // Empty: char_width().
  explicit columns(std::function<int(char32_t)> width_of = {});

  // The text with its tabs as spaces.
  static std::string without_tabs(std::string_view text);

  int count(std::string_view text) const;

  // The beginning of the text that fits, ended by "…" where something was left out.
  drawn_line cut(std::string_view text, int most) const;

  // The whole text, in as many lines as that takes. At least one.
  std::vector<drawn_line> wrap(std::string_view text, int most) const;

 private:
  // How many bytes of `text` fit into `most` columns; `used` becomes how many columns these take. Characters
  // without a column stay with the one before them.
  std::size_t prefix(std::string_view text, int most, int& used) const;

  std::function<int(char32_t)> width_of_;
};

}  // namespace dockline::progress
