#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace dockline::progress {

// A line of a program's output that has not ended yet. Of one that overwrites itself with '\r', the last
// state is kept; one that is too long is cut into several.
class open_line {
 public:
  // Calls `ended(line)` for each line that the bytes end.
  template <class Listener>
  void add(std::string_view bytes, Listener&& ended) {
    while (!bytes.empty()) {
      if (bytes.front() == '\n') {
        end(ended);
        bytes.remove_prefix(1);
        continue;
      }
      if (bytes.front() == '\r') {
        returned_ = true;
        bytes.remove_prefix(1);
        continue;
      }
      if (returned_) text_.clear();
      returned_ = false;
      const std::string_view piece =
          bytes.substr(0, std::min(bytes.find_first_of("\r\n"), longest - text_.size()));
      text_ += piece;
      bytes.remove_prefix(piece.size());
      if (text_.size() == longest) end(ended);
    }
  }

  // Ends the line here.
  template <class Listener>
  void end(Listener&& ended) {
    ended(std::string_view(text_));
    text_.clear();
    returned_ = false;
  }

  const std::string& text() const noexcept { return text_; }

 private:
  static constexpr std::size_t longest = 4096;

  std::string text_;
  bool returned_ = false;  // what comes next overwrites the line
};

}  // namespace dockline::progress
