#pragma once

// A step of an operation that is let come to its end although the operation was cancelled meanwhile: what it makes on
// the other side could not be taken back if nobody were told its name.

#include "dockline/core/diagnostics.hpp"

#include "core/spawn.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>

namespace dockline {
namespace spawning {

// What the step and the wait for it share.
template <class T>
struct unbroken_step {
  explicit unbroken_step(const asio::any_io_executor& executor)
      : over(executor, asio::steady_timer::time_point::max()) {}

  asio::steady_timer over;  // cancelled when it is
  asio::cancellation_signal stop;
  std::optional<result<T>> outcome;
  diagnostics why;
};

}  // namespace spawning

// Awaits body(diagnostics&) -> task<T>, which runs on the caller's executor. A request to stop sets
// `cancelled` and is forgotten: the step has `farewell` left, and what follows can be cancelled anew. It is broken off
// after that, by a second request, or if `cancelled` was set before.
template <class T, class Body>
task<T> unbroken(std::chrono::milliseconds farewell, bool& cancelled, diagnostics& why, Body body) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto shared = std::make_shared<spawning::unbroken_step<T>>(executor);
  auto over = [shared](error_code code, T value) {
    if (code) {
      shared->outcome.emplace(code);
    } else {
      shared->outcome.emplace(std::move(value));
    }
    shared->over.cancel();
  };
  auto stoppable = asio::bind_cancellation_slot(shared->stop.slot(), std::move(over));
  spawn<T>(executor, &shared->why, completion_handler<T>(asio::bind_executor(executor, std::move(stoppable))),
           std::move(body));
  while (!shared->outcome) {
    (void)co_await shared->over.async_wait(no_throw);
    if (shared->outcome) break;
    if (cancelled) {
      shared->stop.emit(asio::cancellation_type::terminal);
      co_return aborted();
    }
    if (!co_await is_cancelled()) continue;
    cancelled = true;
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    shared->over.expires_after(farewell);
  }
  why = shared->why;
  co_return std::move(*shared->outcome);
}

}  // namespace dockline
