#include "core/small_file.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/descriptor.hpp"
#include "core/last_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace dockline {
namespace {}  // namespace

result<std::optional<std::string>> read_small_file(const std::string& path, diagnostics& why,
                                                   std::size_t longest) {
  const auto refuse = [&](const std::string& reason) {
    why.set_client_message(path + ": " + reason);
    return errc::bad_configuration;
  };
  const auto failed = [&] { return refuse(last_error().message()); };
  // Without waiting for the other end of what may be a pipe.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return failed();
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed();
  if (!S_ISREG(status.st_mode)) return refuse("not a regular file");
  std::string text;
  std::array<char, 16 * 1024> block{};
  for (;;) {
    const ssize_t size = ::read(file.get(), block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed();
    if (size == 0) return std::optional<std::string>(std::move(text));
    text.append(block.data(), static_cast<std::size_t>(size));
    if (text.size() > longest) return refuse("longer than " + std::to_string(longest / mebibyte) + " MiB");
  }
}

}  // namespace dockline
