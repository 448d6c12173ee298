#include "console.hpp"

#include <unistd.h>

#include <cerrno>

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
void console::error(std::string_view text) { err("error: " + printable(text) + "\n"); }
void console::warn(std::string_view text) { err("warning: " + printable(text) + "\n"); }

std::string printable(std::string_view text) {
  std::string shown(text);
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) c = '?';
  }
  return shown;
}

}  // namespace dockline::tool
