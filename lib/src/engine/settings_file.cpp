#include "engine/settings_file.hpp"

#include "dockline/core/diagnostics.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace dockline::engine {
namespace {

constexpr std::size_t longest = std::size_t{16} << 20;
constexpr std::size_t deepest = 32;

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }

 private:
  int number_;
};

}  // namespace

result<std::optional<std::string>> read_settings_file(const std::string& path, diagnostics& why) {
  const auto refuse = [&](const std::string& reason) {
    why.set_client_message(path + ": " + reason);
    return errc::bad_configuration;
  };
  const auto reason_of = [](int number) {
    return error_code(number, boost::system::system_category()).message();
  };
  // Without waiting for the other end of what may be a pipe.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return refuse(reason_of(errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return refuse(reason_of(errno));
  if (!S_ISREG(status.st_mode)) return refuse("not a regular file");
  std::string text;
  std::array<char, 16 * 1024> block{};
  for (;;) {
    const ssize_t size = ::read(file.get(), block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return refuse(reason_of(errno));
    if (size == 0) return std::optional<std::string>(std::move(text));
    text.append(block.data(), static_cast<std::size_t>(size));
    if (text.size() > longest) return refuse("longer than 16 MiB");
  }
}

result<json::document> parse_settings(std::string_view text, std::string_view path, diagnostics& why) {
  json::document parsed;
  json::limits bounds;
  bounds.bytes = longest;
  bounds.depth = deepest;
  const error_code failure = parsed.parse(text, bounds);
  if (!failure && parsed.root().is_object()) return parsed;
  std::string words(path);
  if (failure) {
    const std::string_view good = text.substr(0, std::min(parsed.failed_at(), text.size()));
    const auto line = 1 + std::ranges::count(good, '\n');
    const std::size_t column = good.size() - (good.rfind('\n') + 1) + 1;  // npos + 1 is 0
    words += ":" + std::to_string(line) + ":" + std::to_string(column) + ": not JSON from here on";
  } else {
    words += ": not a JSON object";
  }
  why.set_client_message(std::move(words));
  return errc::bad_configuration;
}

}  // namespace dockline::engine
