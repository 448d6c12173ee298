#include "console.hpp"

#include <dockline/progress/printable.hpp>

#include "interruptible_write.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace dockline::tool {

void occupy_standard_streams() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is the one that is given out. Nothing can be written there, so that a result
    // that was asked for is missed as it would be without.
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
  }
}

void console::out(std::string_view bytes) {
  if (!intact_ || write_all(STDOUT_FILENO, bytes)) return;
  intact_ = false;
  const int reason = errno;
  error((reason == EINTR ? "" : "standard output cannot be written: ") + words_of_failed_write(reason));
}
void console::err(std::string_view bytes) {
  if (err_writer_)
    err_writer_(bytes);
  else
    write_all(STDERR_FILENO, bytes);
}
void console::err_as_it_is(std::string_view bytes) { write_all(STDERR_FILENO, bytes); }
void console::lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    err(progress::printable(text.substr(0, end)) + "\n");
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}
void console::error(std::string_view text) { err("error: " + progress::printable(text) + "\n"); }
void console::warn(std::string_view text) { err("warning: " + progress::printable(text) + "\n"); }

}  // namespace dockline::tool
