#pragma once

// From an erased handler to a coroutine and back. What every compiled operation goes through, and the one
// place that knows how Boost 1.81 spawns.

#include "dockline/core/async.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <new>
#include <tuple>
#include <utility>

namespace dockline {

namespace asio = boost::asio;

template <class T>
using task = asio::awaitable<result<T>>;

// What an operation that was told to stop returns. (The enumerator itself would also convert to a
// result<int>.)
inline error_code aborted() noexcept { return asio::error::operation_aborted; }

// Waits without throwing: `auto [ec, n] = co_await stream.async_read_some(block, no_throw);`
inline constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// The same for an operation of the library that another one awaits: it is not started where the request to stop has
// come already, as between the end of one operation and the moment when its caller hears of that. Nobody would tell
// the next one.
struct unless_cancelled_t {};
inline constexpr unless_cancelled_t unless_cancelled;

// Where an erased handler is to be called. Asio tells none where there is no memory for it.
template <class Handler>
asio::any_completion_executor home_of(const Handler& handler, const asio::any_io_executor& otherwise) {
  auto home = asio::get_associated_executor(handler, otherwise);
  if (!home) throw std::bad_alloc();
  return home;
}

// The cancellation of one spawned coroutine. It outlives the coroutine for as long as somebody may still ask
// for it, since a slot may be emitted on another thread while the coroutine completes.
struct spawn_state {
  asio::cancellation_signal signal;
  asio::cancellation_type asked = asio::cancellation_type::none;
};

// The code of whatever exception reached the top of a coroutine. None is expected but bad_alloc.
error_code code_of(std::exception_ptr failure) noexcept;

// Whether the running coroutine was told to stop. To be asked after a wait that succeeded: the wait may have
// been over just before the request came.
inline asio::awaitable<bool> is_cancelled() {
  co_return (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
}

namespace spawning {

template <class T, class Body>
asio::awaitable<result<T>> run(std::shared_ptr<spawn_state> state, std::shared_ptr<diagnostics> own,
                               diagnostics* why, Body body) {
  // Cancellation is a code, not an exception, and every type of it means "stop": what can be cancelled
  // without a side effect on the other side is not worth a promise here.
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  if (state->asked != asio::cancellation_type::none) co_return aborted();
  why->clear();
  result<T> outcome = co_await body(*why);
  (void)own;
  co_return outcome;
}

template <class T>
void complete(completion_handler<T> handler, result<T> outcome) {
  if constexpr (std::is_void_v<T>) {
    std::move(handler)(outcome ? error_code() : outcome.error());
  } else if (outcome) {
    std::move(handler)(error_code(), std::move(*outcome));
  } else {
    std::move(handler)(outcome.error(), T());
  }
}

}  // namespace spawning

// Runs body(diagnostics&) -> task<T> on `executor` and completes `handler` with what it returns, on the
// handler's associated executor. Emitting the handler's slot, from any thread, cancels what the body waits
// for; the waits inside the body report it as operation_aborted. An exception out of the body becomes its
// code.
template <class T, class Body>
void spawn(asio::any_io_executor executor, diagnostics* why, completion_handler<T> handler, Body body) {
  auto state = std::make_shared<spawn_state>();
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    slot.assign([executor, weak = std::weak_ptr<spawn_state>(state)](asio::cancellation_type type) {
      asio::dispatch(executor, [weak, type] {
        if (auto alive = weak.lock()) {
          alive->asked |= type;
          alive->signal.emit(type);
        }
      });
    });
  }
  auto own = why ? nullptr : std::make_shared<diagnostics>();
  if (own) why = own.get();
  // The executor of the handler must not run out of work while only this operation is pending.
  auto handler_executor = asio::prefer(home_of(handler, executor), asio::execution::outstanding_work.tracked);
  asio::co_spawn(executor, spawning::run<T>(state, std::move(own), why, std::move(body)),
                 asio::bind_cancellation_slot(
                     state->signal.slot(),
                     [state, handler = std::move(handler), handler_executor = std::move(handler_executor)](
                         std::exception_ptr failure, result<T> outcome) mutable {
                       if (failure) outcome = code_of(failure);
                       asio::dispatch(handler_executor,
                                      [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
                                        spawning::complete<T>(std::move(handler), std::move(outcome));
                                      });
                     }));
}

}  // namespace dockline

namespace boost::asio {

template <class... T>
struct async_result<dockline::unless_cancelled_t, void(dockline::error_code, T...)> {
  // By value, since the coroutine starts after this call.
  template <class Initiation, class... Args>
  static awaitable<std::tuple<dockline::error_code, T...>> initiate(Initiation initiation,
                                                                    dockline::unless_cancelled_t /*token*/,
                                                                    Args... args) {
    if (co_await dockline::is_cancelled())
      co_return std::tuple<dockline::error_code, T...>(dockline::aborted(), T()...);
    auto outcome = co_await async_initiate<decltype(dockline::no_throw), void(dockline::error_code, T...)>(
        std::move(initiation), dockline::no_throw, std::move(args)...);
    co_return outcome;
  }
};

}  // namespace boost::asio
