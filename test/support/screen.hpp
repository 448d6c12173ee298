#pragma once

// A terminal as far as our display uses one: text, CR and LF, cursor up and down, erase to the end of the
// line and of the screen, colours, and the three modes that are switched while a change is drawn. Anything
// else is counted as unknown. When it becomes narrower, it breaks long lines anew, as most terminals do.

#include "core/encoding.hpp"
#include "progress/char_width.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::progress {

class screen {
 public:
  screen(int width, int height) : width_(width), height_(height), rows_(static_cast<std::size_t>(height)) {}

  void write(std::string_view bytes) {
    while (!bytes.empty()) bytes.remove_prefix(take(bytes));
  }

  void resize(int width, int height) {
    std::vector<row> all = std::move(history_);
    const std::size_t cursor_row = all.size() + row_;
    all.insert(all.end(), rows_.begin(), rows_.end());
    std::size_t used = std::max(cursor_row + 1, last_used(all));
    std::vector<row> anew;
    std::size_t cursor = 0;
    for (std::size_t i = 0; i < used; ++i) {
      if (i == cursor_row) cursor = anew.size();
      std::vector<std::string> cells = all[i].cells;
      const auto most = static_cast<std::size_t>(width);
      do {
        const std::size_t size = std::min(most, cells.size());
        anew.push_back({{cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(size)}});
        cells.erase(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(size));
      } while (!cells.empty());
    }
    width_ = width;
    height_ = height;
    const auto rows = static_cast<std::size_t>(height);
    const std::size_t above = anew.size() > rows ? anew.size() - rows : 0;
    history_.assign(anew.begin(), anew.begin() + static_cast<std::ptrdiff_t>(above));
    rows_.assign(anew.begin() + static_cast<std::ptrdiff_t>(above), anew.end());
    rows_.resize(rows);
    row_ = cursor - above;
    column_ = 0;
  }

  // All that was ever written and still stands: what scrolled away, and what is on the screen. A line each,
  // without the spaces at its end, to the last that is not empty.
  std::string text() const {
    std::vector<row> all = history_;
    all.insert(all.end(), rows_.begin(), rows_.end());
    all.resize(last_used(all));
    std::string whole;
    for (const row& one : all) whole += line_of(one) + '\n';
    return whole;
  }
  // What is on the screen alone.
  std::string shown() const {
    std::string whole;
    for (std::size_t i = 0; i < last_used(rows_); ++i) whole += line_of(rows_[i]) + '\n';
    return whole;
  }

  std::size_t cursor_row() const { return row_; }
  std::size_t cursor_column() const { return column_; }
  bool is_sane() const { return cursor_visible_ && wraps_ && !synchronised_ && !coloured_; }
  int unknown() const { return unknown_; }
  // How often text reached the right edge of the screen.
  int wrapped() const { return wrapped_; }

 private:
  struct row {
    std::vector<std::string> cells;  // the second of a wide character is empty
  };

  static std::string line_of(const row& one) {
    std::string line;
    for (const std::string& cell : one.cells) line += cell;
    const std::size_t last = line.find_last_not_of(' ');
    line.resize(last == line.npos ? 0 : last + 1);
    return line;
  }
  static std::size_t last_used(const std::vector<row>& rows) {
    std::size_t used = rows.size();
    while (used > 0 && line_of(rows[used - 1]).empty()) --used;
    return used;
  }

  std::size_t take(std::string_view bytes) {
    switch (bytes.front()) {
      case '\r': column_ = 0; return 1;
      case '\n': line_feed(); return 1;
      case '\x1b': return sequence(bytes);
      default: break;
    }
    const auto lead = static_cast<unsigned char>(bytes.front());
    if (lead < 0x20 || lead == 0x7f) {
      ++unknown_;
      return 1;
    }
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    put(bytes.substr(0, size));
    return std::min(size, bytes.size());
  }

  void put(std::string_view character) {
    char32_t code = static_cast<unsigned char>(character.front());
    if (character.size() > 1) {
      code &= 0x7fU >> character.size();
      for (const char more : character.substr(1))
        code = code << 6 | (static_cast<unsigned char>(more) & 0x3fU);
    }
    if (!is_utf8(character)) ++unknown_;
    const auto size = static_cast<std::size_t>(char_width(code));
    auto& cells = rows_[row_].cells;
    if (size == 0) {
      if (column_ > 0 && column_ <= cells.size()) cells[column_ - 1] += character;
      return;
    }
    if (column_ + size >= static_cast<std::size_t>(width_)) ++wrapped_;
    if (column_ + size > static_cast<std::size_t>(width_)) return;
    if (cells.size() < column_ + size) cells.resize(column_ + size, " ");
    cells[column_] = character;
    if (size == 2) cells[column_ + 1].clear();
    column_ += size;
  }

  void line_feed() {
    if (++row_ < rows_.size()) return;
    --row_;
    history_.push_back(rows_.front());
    rows_.erase(rows_.begin());
    rows_.emplace_back();
  }

  std::size_t sequence(std::string_view bytes) {
    const std::size_t end = bytes.find_first_not_of("0123456789;?", 2);
    if (bytes.size() < 3 || bytes[1] != '[' || end == bytes.npos) {
      ++unknown_;
      return bytes.size();
    }
    const std::string parameters(bytes.substr(2, end - 2));
    const auto number = static_cast<std::size_t>(std::atoi(parameters.c_str()));
    switch (bytes[end]) {
      case 'A': row_ -= std::min(row_, number); break;
      case 'B': row_ = std::min(row_ + number, rows_.size() - 1); break;
      case 'K':
        if (!parameters.empty()) ++unknown_;
        erase_line();
        break;
      case 'J':
        if (!parameters.empty()) ++unknown_;
        erase_line();
        for (std::size_t i = row_ + 1; i < rows_.size(); ++i) rows_[i].cells.clear();
        break;
      case 'm': coloured_ = parameters != "0"; break;
      case 'h':
      case 'l': set_mode(parameters, bytes[end] == 'h'); break;
      default: ++unknown_;
    }
    return end + 1;
  }

  void erase_line() {
    auto& cells = rows_[row_].cells;
    if (cells.size() > column_) cells.resize(column_);
  }

  void set_mode(std::string_view mode, bool on) {
    if (mode == "?25")
      cursor_visible_ = on;
    else if (mode == "?7")
      wraps_ = on;
    else if (mode == "?2026")
      synchronised_ = on;
    else
      ++unknown_;
  }

  int width_;
  int height_;
  std::vector<row> history_;
  std::vector<row> rows_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  bool cursor_visible_ = true;
  bool wraps_ = true;
  bool synchronised_ = false;
  bool coloured_ = false;
  int unknown_ = 0;
  int wrapped_ = 0;
};

}  // namespace dockline::progress
