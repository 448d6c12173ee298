#include "dockline/core/diagnostics.hpp"

#include "http/dial.hpp"
#include "http/tls_stream.hpp"
#include "http/watchdog.hpp"

#include <utility>

namespace dockline::http {

task<std::unique_ptr<stream>> dial_tls(asio::any_io_executor executor, address where,
                                       std::shared_ptr<const tls_context> context,
                                       std::chrono::milliseconds deadline, diagnostics& why,
                                       std::string called) {
  const auto began = std::chrono::steady_clock::now();
  auto connection = co_await dial_tcp(executor, where, deadline, why, called);
  if (!connection) co_return connection.error();

  // What is left of the deadline is the handshake's.
  watchdog guard(executor);
  if (deadline.count() > 0) {
    const auto spent =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    stream* const below = connection->get();
    guard.arm(std::max(deadline - spent, std::chrono::milliseconds(1)), [below] { below->close(); });
  }
  auto secured = co_await secure(std::move(*connection), executor, std::move(context), where.host, why);
  if (secured) co_return secured;
  if (guard.expired()) co_return too_late(where, deadline, why, called);
  if (secured.error() == condition::cancelled) co_return secured.error();
  why.set_client_message(cannot_connect_to(where, called) + why.client_message());
  const bool refused = secured.error() == errc::tls_failed;
  co_return refused ? errc::tls_failed : errc::cannot_connect;
}

}  // namespace dockline::http
