#pragma once

#include <string>
#include <string_view>

namespace dockline::tool {

// The two streams of the process: results go to `out`, everything else to `err`.
class console {
 public:
  void out(std::string_view bytes);
  void err(std::string_view bytes);
  // "error: …" and "warning: …", each on a line of its own.
  void error(std::string_view text);
  void warn(std::string_view text);

  // False once a stream could not be written (a full disk, a closed pipe): the command has then failed.
  bool intact() const noexcept { return intact_; }

 private:
  bool intact_ = true;
};

// Text from outside on its way to a terminal: control characters but '\n' and '\t' become '?'.
std::string printable(std::string_view text);

}  // namespace dockline::tool
