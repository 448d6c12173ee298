#include "source_of_stdin.hpp"

#include <dockline/core/diagnostics.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

class source_of_stdin final : public byte_source {
 public:
  explicit source_of_stdin(asio::any_io_executor executor) : executor_(executor), descriptor_(executor) {
    // A duplicate, since the descriptor object closes what it was given.
    file_ = ::dup(STDIN_FILENO);
    struct stat status {};
    if (file_ < 0 || ::fstat(file_, &status) != 0) return;
    // epoll knows no regular files, nor /dev/null: they are always ready, and read as they are.
    const bool waits = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || ::isatty(file_) == 1;
    if (!waits) return;
    error_code refused;
    descriptor_.assign(file_, refused);
    if (!refused) file_ = -1;
  }
  source_of_stdin(const source_of_stdin&) = delete;
  source_of_stdin& operator=(const source_of_stdin&) = delete;
  ~source_of_stdin() override {
    if (file_ >= 0) ::close(file_);
  }

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    if (descriptor_.is_open()) {
      // Waiting for readiness and reading then leaves the descriptor's flags alone: it is shared with the
      // shell.
      descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, block, handler = std::move(handler)](const error_code& code) mutable {
                               if (code) return std::move(handler)(code, std::size_t{0});
                               complete(descriptor_.native_handle(), block, std::move(handler));
                             });
      return;
    }
    asio::post(executor_, [this, block, handler = std::move(handler)]() mutable {
      complete(file_, block, std::move(handler));
    });
  }

  const diagnostics& why() const noexcept override { return why_; }

 private:
  void complete(int descriptor, asio::mutable_buffer block, transfer_handler handler) {
    ssize_t size = 0;
    if (descriptor >= 0) {
      do {
        size = ::read(descriptor, block.data(), block.size());
      } while (size < 0 && errno == EINTR);
    }
    if (size < 0) {
      const error_code code(errno, boost::system::system_category());
      why_.set_client_message("standard input: " + code.message());
      return std::move(handler)(code, std::size_t{0});
    }
    std::move(handler)(error_code(), static_cast<std::size_t>(size));
  }

  asio::any_io_executor executor_;
  asio::posix::stream_descriptor descriptor_;
  int file_ = -1;
  diagnostics why_;
};

}  // namespace

std::unique_ptr<byte_source> make_source_of_stdin(asio::any_io_executor executor) {
  return std::make_unique<source_of_stdin>(std::move(executor));
}

}  // namespace dockline::tool
