#include "gcp/unbroken.hpp"

#include "dockline/core/diagnostics.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <utility>

namespace dockline::gcp {
namespace {

// What the request and the wait for it share.
struct unbroken {
  explicit unbroken(const asio::any_io_executor& executor)
      : over(executor, asio::steady_timer::time_point::max()) {}

  asio::steady_timer over;  // cancelled when it is
  std::optional<result<api_answer>> outcome;
  diagnostics why;
};

}  // namespace

task<api_answer> send_unbroken(std::shared_ptr<client_state> state, api_call call,
                               std::chrono::milliseconds farewell, bool& cancelled, diagnostics& why) {
  auto shared = std::make_shared<unbroken>(state->strand);
  auto over = [shared](error_code code, api_answer answer) {
    if (code) {
      shared->outcome.emplace(code);
    } else {
      shared->outcome.emplace(std::move(answer));
    }
    shared->over.cancel();
  };
  spawn<api_answer>(
      state->strand, &shared->why,
      completion_handler<api_answer>(asio::bind_executor(state->strand, std::move(over))),
      [state, call = std::move(call)](diagnostics& words) { return state->send_as(call, words); });
  while (!shared->outcome) {
    (void)co_await shared->over.async_wait(no_throw);
    if (shared->outcome) break;
    if (cancelled) co_return aborted();
    if (!co_await is_cancelled()) continue;
    cancelled = true;
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    shared->over.expires_after(farewell);
  }
  why = shared->why;
  co_return std::move(*shared->outcome);
}

}  // namespace dockline::gcp
