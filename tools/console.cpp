#include "console.hpp"

#include <dockline/progress/printable.hpp>

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
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

void console::out(std::string_view bytes) { intact_ = write_all(STDOUT_FILENO, bytes) && intact_; }
void console::err(std::string_view bytes) { write_all(STDERR_FILENO, bytes); }
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
