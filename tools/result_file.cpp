#include "result_file.hpp"

#include "command.hpp"
#include "interruptible_write.hpp"
#include "read_some.hpp"

#include <boost/asio/buffer.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dockline::tool {
namespace {

constexpr std::size_t block_size = 256 * 1024;

}  // namespace

result_file::~result_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

bool result_file::is_terminal() const { return path_ == "-" && ::isatty(STDOUT_FILENO) == 1; }

bool result_file::open() {
  struct stat there {};
  if (::stat(path_.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    return descriptor_ >= 0;
  }
  // As any file is made: mkostemp() makes one that its owner alone may read.
  std::random_device numbers;
  do {
    temporary_ = path_ + '.' + std::to_string(numbers() % 1'000'000);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) temporary_.clear();
  return descriptor_ >= 0;
}

bool result_file::fail() {
  const int reason = errno;
  terminal_.error((reason == EINTR ? "" : "--output \"" + path_ + "\": ") + words_of_failed_write(reason));
  return false;
}

bool result_file::write(std::string_view bytes) {
  if (path_ == "-") {
    terminal_.out(bytes);
    return terminal_.intact();
  }
  if (descriptor_ < 0 && !open()) return fail();
  return write_all(descriptor_, bytes) || fail();
}

bool result_file::finish() {
  if (path_ == "-") return terminal_.intact();
  if (descriptor_ < 0 && !open()) return fail();
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) return fail();
  if (!temporary_.empty() && std::rename(temporary_.c_str(), path_.c_str()) != 0) return fail();
  temporary_.clear();
  return true;
}

boost::asio::awaitable<int> write_all(std::shared_ptr<byte_source> source, result_file& to,
                                      console& terminal) {
  std::vector<char> block(block_size);
  for (;;) {
    auto [code, size] = co_await read_some(*source, boost::asio::buffer(block));
    for (const auto& text : source->take_warnings()) terminal.warn(text);
    if (code) co_return static_cast<int>(report(terminal, code, source->why()));
    if (size == 0) co_return static_cast<int>(to.finish() ? exit_status::done : exit_status::failed);
    if (!to.write(std::string_view(block.data(), size))) co_return static_cast<int>(exit_status::failed);
  }
}

}  // namespace dockline::tool
