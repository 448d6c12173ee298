#include "dockline/core/diagnostics.hpp"
#include "dockline/core/make_stream.hpp"

#include "http/dial.hpp"
#include "http/watchdog.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>

namespace dockline::http {
namespace {

using protocol = asio::local::stream_protocol;

// How long a full queue is given before the next try.
constexpr std::chrono::milliseconds first_wait{1};
constexpr std::chrono::milliseconds longest_wait{50};

// What the deadline stops.
struct attempt {
  explicit attempt(const asio::any_io_executor& executor) : socket(executor), pause(executor) {}

  protocol::socket socket;
  asio::steady_timer pause;

  void close() {
    error_code ignored;
    socket.close(ignored);
  }
  void stop() {
    close();
    pause.cancel();
  }
};

error_code explain(const error_code& code, const address& where, diagnostics& why) {
  const std::string place = cannot_connect_to(where);
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

task<std::unique_ptr<stream>> dial_unix(asio::any_io_executor executor, address where,
                                        std::chrono::milliseconds deadline, diagnostics& why) {
  auto dialling = std::make_shared<attempt>(executor);
  watchdog guard(executor);
  guard.arm(deadline, [dialling] { dialling->stop(); });
  const protocol::endpoint endpoint(where.path);
  auto wait = first_wait;
  for (;;) {
    auto [code] = co_await dialling->socket.async_connect(endpoint, no_throw);
    if (!code && !guard.expired() && !co_await is_cancelled()) {
      (void)dialling->socket.remote_endpoint(code);
      if (!code) co_return make_stream(std::move(dialling->socket));
      // The kernel refuses a Unix socket whose queue is full with EAGAIN. Asio takes that for a connect under
      // way, and then for one that worked; there is nothing to wait for but time.
      dialling->close();
      dialling->pause.expires_after(wait);
      wait = std::min(2 * wait, longest_wait);
      auto [stopped] = co_await dialling->pause.async_wait(no_throw);
      if (!stopped) continue;
      code = stopped;
    }
    if (guard.expired()) co_return too_late(where, deadline, why);
    if (code == asio::error::operation_aborted || co_await is_cancelled()) co_return aborted();
    co_return explain(code, where, why);
  }
}

}  // namespace dockline::http
