#include "source_of_stdin.hpp"

#include <dockline/core/diagnostics.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

class source_of_descriptor final : public byte_source {
 public:
  // `file` becomes the object's; `name` is what an error calls it.
  source_of_descriptor(asio::any_io_executor executor, int file, std::string name)
      : executor_(executor), descriptor_(executor), file_(file), name_(std::move(name)) {
    struct stat status {};
    if (file_ < 0 || ::fstat(file_, &status) != 0) return;
    // epoll knows no regular files, nor /dev/null: they are always ready, and read as they are.
    const bool waits = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || ::isatty(file_) == 1;
    if (!waits) return;
    error_code refused;
    descriptor_.assign(file_, refused);
    if (!refused) file_ = -1;
  }
  source_of_descriptor(const source_of_descriptor&) = delete;
  source_of_descriptor& operator=(const source_of_descriptor&) = delete;
  ~source_of_descriptor() override {
    if (file_ >= 0) ::close(file_);
  }

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    if (descriptor_.is_open()) {
      // Waiting for readiness and reading then leaves the descriptor's flags alone: it is shared with the
      // shell.
      const auto slot = asio::get_associated_cancellation_slot(handler);
      auto ready = [this, block, handler = std::move(handler)](const error_code& code) mutable {
        if (code) return std::move(handler)(code, std::size_t{0});
        complete(descriptor_.native_handle(), block, std::move(handler));
      };
      descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                             asio::bind_cancellation_slot(slot, std::move(ready)));
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
      why_.set_client_message(name_ + ": " + code.message());
      return std::move(handler)(code, std::size_t{0});
    }
    std::move(handler)(error_code(), static_cast<std::size_t>(size));
  }

  asio::any_io_executor executor_;
  asio::posix::stream_descriptor descriptor_;
  int file_ = -1;
  std::string name_;
  diagnostics why_;
};

}  // namespace

std::unique_ptr<byte_source> make_source_of_stdin(asio::any_io_executor executor) {
  // A duplicate, since the descriptor object closes what it was given.
  return std::make_unique<source_of_descriptor>(std::move(executor), ::dup(STDIN_FILENO), "standard input");
}

std::unique_ptr<byte_source> make_source_of_file(asio::any_io_executor executor, const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  return std::make_unique<source_of_descriptor>(std::move(executor), file, path);
}

}  // namespace dockline::tool
