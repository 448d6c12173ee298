#include "http/dial.hpp"

#include "http/watchdog.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>

#include <utility>
#include <vector>

namespace dockline::http {
namespace {

using protocol = asio::local::stream_protocol;

class unix_stream final : public stream {
 public:
  explicit unix_stream(protocol::socket socket) : socket_(std::move(socket)) {}

  asio::any_io_executor get_executor() override { return socket_.get_executor(); }

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    socket_.async_read_some(block, std::move(handler));
  }

  void async_write_some(std::span<const asio::const_buffer> blocks, transfer_handler handler) override {
    socket_.async_write_some(std::vector<asio::const_buffer>(blocks.begin(), blocks.end()),
                             std::move(handler));
  }

  error_code shutdown_send() override {
    error_code code;
    socket_.shutdown(asio::socket_base::shutdown_send, code);
    return code;
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  protocol::socket socket_;
};

error_code explain(const error_code& code, const address& where, diagnostics& why) {
  const std::string place = "cannot connect to the daemon at " + to_string(where) + ": ";
  if (code == boost::system::errc::permission_denied) {
    why.set_client_message(place +
                           "no permission to open the socket; run as root or join the group that owns it "
                           "(usually: sudo usermod -aG docker $USER, then log in again)");
    return errc::no_permission;
  }
  if (code == boost::system::errc::no_such_file_or_directory) {
    why.set_client_message(place + "there is no such socket; is the daemon running?");
  } else if (code == boost::system::errc::connection_refused) {
    why.set_client_message(place + "nobody listens on the socket; is the daemon running?");
  } else {
    why.set_client_message(place + code.message());
  }
  return errc::cannot_connect;
}

}  // namespace

task<std::unique_ptr<stream>> dial(asio::any_io_executor executor, address where,
                                   std::chrono::milliseconds deadline, diagnostics& why) {
  auto socket = std::make_shared<protocol::socket>(executor);
  watchdog guard(executor);
  guard.arm(deadline, [socket] {
    error_code ignored;
    socket->close(ignored);
  });
  const protocol::endpoint endpoint(where.path);
  auto [code] = co_await socket->async_connect(endpoint, no_throw);
  if (guard.expired()) {
    why.set_client_message("cannot connect to the daemon at " + to_string(where) + ": no answer in " +
                           std::to_string(deadline.count()) + " ms");
    co_return errc::timed_out;
  }
  if (code == asio::error::operation_aborted || co_await is_cancelled()) co_return aborted();
  if (code) co_return explain(code, where, why);
  co_return std::make_unique<unix_stream>(std::move(*socket));
}

}  // namespace dockline::http
