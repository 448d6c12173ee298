#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::tool {

// The two streams of the process: results go to `out`, everything else to `err`.
class console {
 public:
  void out(std::string_view bytes);
  void err(std::string_view bytes);
  // What the display itself writes.
  void err_as_it_is(std::string_view bytes);
  // While a live display owns the terminal, what is written to the `err` of any console goes through it: the
  // process has only one. Empty: no longer.
  static void set_err_writer(std::function<void(std::string_view)> writer) {
    err_writer_ = std::move(writer);
  }
  // Lines from outside, made safe for a terminal, on `err`.
  void lines(std::string_view text);
  // "error: …" and "warning: …", each on a line of its own.
  void error(std::string_view text);
  void warn(std::string_view text);

  // False once a result could not be written (a full disk, a closed pipe), or its reader was waited for in vain
  // when a signal came: the command has then failed, and the reason was told.
  bool intact() const noexcept { return intact_; }

 private:
  static inline std::function<void(std::string_view)> err_writer_;
  bool intact_ = true;
};

// Takes the numbers of standard streams that were closed by the caller, before a socket gets one of them and
// is then written to as if it were a terminal.
void occupy_standard_streams();

}  // namespace dockline::tool
