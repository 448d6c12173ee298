#include "dockline/core/diagnostics.hpp"
#include "dockline/core/make_stream.hpp"

#include "http/dial.hpp"
#include "http/watchdog.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <netinet/tcp.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace dockline::http {
namespace {

using tcp = asio::ip::tcp;

// RFC 8305, section 5: how long one address is given before the next one is tried beside it.
constexpr std::chrono::milliseconds head_start{250};

// A build may be silent for hours: that the other host is gone is then seen by nothing else.
constexpr int keepalive_idle = 30;
constexpr int keepalive_interval = 15;
constexpr int keepalive_count = 4;

// A name that is looked up and the addresses that are tried; what a deadline or a cancellation leaves behind
// keeps this alive until it notices.
struct race : std::enable_shared_from_this<race> {
  explicit race(const asio::any_io_executor& own) : executor(own), resolver(own), news(own) {}

  asio::any_io_executor executor;
  tcp::resolver resolver;
  asio::steady_timer news;  // cancelled whenever there is something to see
  bool resolved = false;
  error_code failure;  // the last one
  std::vector<tcp::endpoint> endpoints;
  std::vector<std::unique_ptr<tcp::socket>> tries;  // empty where one has failed
  std::size_t failed = 0;
  std::unique_ptr<tcp::socket> winner;

  void stop() {
    resolver.cancel();
    for (auto& socket : tries) socket.reset();
    news.cancel();
  }

  void resolve(const std::string& host, std::uint16_t port) {
    error_code no_address;
    if (const auto numeric = asio::ip::make_address(host, no_address); !no_address) {
      endpoints.emplace_back(numeric, port);
      resolved = true;
      return;
    }
    resolver.async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        asio::bind_executor(executor, [self = shared_from_this()](error_code code, const auto& found) {
          self->resolved = true;
          self->failure = code;
          for (const auto& one : found) self->endpoints.push_back(one.endpoint());
          self->news.cancel();
        }));
  }

  void try_next() {
    const std::size_t number = tries.size();
    tries.push_back(std::make_unique<tcp::socket>(executor));
    tries.back()->async_connect(endpoints[number], asio::bind_executor(executor, [self = shared_from_this(),
                                                                                  number](error_code code) {
                                  auto socket = std::move(self->tries[number]);
                                  if (code || !socket) {
                                    if (code != asio::error::operation_aborted) self->failure = code;
                                    ++self->failed;
                                  } else if (!self->winner) {
                                    self->winner = std::move(socket);
                                  }
                                  self->news.cancel();
                                }));
  }

  // Until there is news, or for as long.
  asio::awaitable<void> wait(std::chrono::steady_clock::time_point until) {
    news.expires_at(until);
    (void)co_await news.async_wait(no_throw);
  }
};

error_code explain(const error_code& code, const address& where, const std::string& called,
                   diagnostics& why) {
  std::string reason = code.message();
  if (code == asio::error::host_not_found || code == asio::error::no_data ||
      code == asio::error::host_not_found_try_again) {
    reason = "no such host";
  } else if (code == asio::error::connection_refused) {
    reason = "nobody listens on the port";
    if (called.empty()) reason += "; is the daemon running, and told to listen on TCP?";
  }
  why.set_client_message(cannot_connect_to(where, called) + reason);
  return errc::cannot_connect;
}

void tune(tcp::socket& socket) {
  error_code ignored;
  // A request is written in one piece, and then waited for.
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  using idle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using count = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  socket.set_option(idle(keepalive_idle), ignored);
  socket.set_option(interval(keepalive_interval), ignored);
  socket.set_option(count(keepalive_count), ignored);
}

}  // namespace

task<std::unique_ptr<stream>> dial_tcp(asio::any_io_executor executor, address where,
                                       std::chrono::milliseconds deadline, diagnostics& why,
                                       std::string called) {
  constexpr auto never = std::chrono::steady_clock::time_point::max();
  auto running = std::make_shared<race>(executor);
  watchdog guard(executor);
  guard.arm(deadline, [running] { running->stop(); });
  running->resolve(where.host, where.port);
  for (;;) {
    // getaddrinfo() cannot be stopped; nobody waits for it any more.
    const bool stopped = co_await is_cancelled();
    if (stopped || guard.expired()) {
      running->stop();
      running->winner.reset();
      co_return stopped ? aborted() : too_late(where, deadline, why, called);
    }
    if (running->winner) break;
    const std::size_t started = running->tries.size();
    const std::size_t all = running->endpoints.size();
    if (running->resolved && running->failed == all) co_return explain(running->failure, where, called, why);
    if (started < all &&
        (started == running->failed || running->news.expiry() <= std::chrono::steady_clock::now())) {
      running->try_next();
    }
    const bool more = running->tries.size() < all;
    co_await running->wait(more ? std::chrono::steady_clock::now() + head_start : never);
  }
  auto socket = std::move(running->winner);
  running->stop();
  tune(*socket);
  co_return make_stream(std::move(*socket));
}

}  // namespace dockline::http
