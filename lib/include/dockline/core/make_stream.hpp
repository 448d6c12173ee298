#pragma once

// A socket of the caller's own as a dockline::stream: a thin template around any Asio AsyncStream.

#include "dockline/core/stream.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace dockline {

// Whether a socket has, as far as can be told without waiting, neither bytes to be read nor an end.
DOCKLINE_API bool is_quiet_socket(int descriptor) noexcept;

// What a socket calls when a transfer of a stream is over: on the socket's executor first, which copies itself without
// memory, and from there on the handler's.
class DOCKLINE_API transfer_completion {
 public:
  // Asio asks for both by their names.
  using executor_type = boost::asio::any_io_executor;
  // See above.
  using cancellation_slot_type = boost::asio::cancellation_slot;

  // `executor` is the socket's. Throws std::bad_alloc where there is no memory for what the handler needs.
  transfer_completion(boost::asio::any_io_executor executor, transfer_handler handler);

  // The socket's.
  executor_type get_executor() const noexcept { return executor_; }
  // The handler's.
  cancellation_slot_type get_cancellation_slot() const noexcept { return handler_.get_cancellation_slot(); }

  // Calls the handler on its associated executor.
  void operator()(error_code code, std::size_t size);

 private:
  boost::asio::any_io_executor executor_;
  boost::asio::any_completion_executor home_;
  transfer_handler handler_;
};

// What make_stream() makes. `Socket` has get_executor(), async_read_some() and async_write_some(); and
// close() or a lowest_layer() that has it.
template <class Socket>
class socket_stream final : public stream {
 public:
  // Takes a socket that is connected.
  explicit socket_stream(Socket socket) : socket_(std::move(socket)) {}

  boost::asio::any_io_executor get_executor() override { return socket_.get_executor(); }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    socket_.async_read_some(block, transfer_completion(socket_.get_executor(), std::move(handler)));
  }

  void async_write_some(std::span<const boost::asio::const_buffer> blocks,
                        transfer_handler handler) override {
    socket_.async_write_some(std::vector<boost::asio::const_buffer>(blocks.begin(), blocks.end()),
                             transfer_completion(socket_.get_executor(), std::move(handler)));
  }

  bool quiet() override {
    if constexpr (requires {
                    { socket_.native_handle() } -> std::convertible_to<int>;
                  }) {
      return is_quiet_socket(socket_.native_handle());
    } else {
      return true;
    }
  }

  error_code shutdown_send() override {
    error_code code = boost::asio::error::operation_not_supported;
    // What lies below TLS must not be closed behind its back.
    if constexpr (requires { socket_.shutdown(boost::asio::socket_base::shutdown_send, code); }) {
      socket_.shutdown(boost::asio::socket_base::shutdown_send, code);
    }
    return code;
  }

  void close() noexcept override {
    error_code ignored;
    if constexpr (requires { socket_.close(ignored); }) {
      socket_.close(ignored);
    } else if constexpr (requires { socket_.lowest_layer().close(ignored); }) {
      socket_.lowest_layer().close(ignored);
    } else {
      socket_.close();
    }
  }

 private:
  Socket socket_;
};

// The connected `socket` as a stream: a socket, an ssl::stream whose handshake is over, or a type of the
// caller's own. From then on only the stream uses it.
template <class Socket>
std::unique_ptr<stream> make_stream(Socket socket) {
  return std::make_unique<socket_stream<Socket>>(std::move(socket));
}

}  // namespace dockline
