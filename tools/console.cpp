#include "console.hpp"

#include <dockline/progress/printable.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace dockline::tool {
namespace {

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(descriptor, bytes.data(), bytes.size());
    if (size < 0) {
      if (errno == EINTR) continue;
      // Whoever shares the other end of a terminal or pipe may have made it non-blocking for all.
      pollfd writable{descriptor, POLLOUT, 0};
      if (errno == EAGAIN && ::poll(&writable, 1, -1) > 0) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

void occupy_standard_streams() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is the one that is given out. Nothing can be written there, so that a result
    // that was asked for is missed as it would be without.
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
  }
}

void console::out(std::string_view bytes) { intact_ = write_all(STDOUT_FILENO, bytes) && intact_; }
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
