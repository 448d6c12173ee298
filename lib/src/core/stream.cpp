#include "dockline/core/make_stream.hpp"

#include "core/spawn.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace dockline {

// Asio asks a handler without a type for its executor in functions that may not throw, and the answer takes memory.
transfer_completion::transfer_completion(asio::any_io_executor executor, transfer_handler handler)
    : executor_(std::move(executor)), home_(home_of(handler, executor_)), handler_(std::move(handler)) {}

void transfer_completion::operator()(error_code code, std::size_t size) {
  home_.execute([handler = std::move(handler_), code, size]() mutable { std::move(handler)(code, size); });
}

bool is_quiet_socket(int descriptor) noexcept {
  char byte = 0;
  return ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

}  // namespace dockline
