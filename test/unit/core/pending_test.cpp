#include "core/pending.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <utility>

namespace dockline {
namespace {

using namespace std::chrono_literals;

// An operation that is completed by hand, or by being cancelled.
struct by_hand {
  std::unique_ptr<completion_handler<int>> handler;
  int cancelled = 0;

  auto start() {
    return [this](completion_handler<int> own) {
      auto slot = asio::get_associated_cancellation_slot(own);
      handler = std::make_unique<completion_handler<int>>(std::move(own));
      slot.assign([this](asio::cancellation_type) {
        ++cancelled;
        complete(asio::error::operation_aborted, 0);
      });
    };
  }
  void complete(error_code code, int value) {
    if (auto own = std::move(handler)) std::move (*own)(code, value);
  }
};

struct finished_wait {
  int completions = 0;
  error_code code;
  int value = 0;
};

// A spawned coroutine that starts `operation`, does `before`, and then waits for it.
template <class Before>
void wait_for(asio::io_context& context, by_hand& operation, asio::cancellation_signal& stop,
              finished_wait& seen, Before before) {
  spawn<int>(context.get_executor(), nullptr,
             completion_handler<int>(asio::bind_cancellation_slot(stop.slot(),
                                                                  [&](error_code code, int value) {
                                                                    ++seen.completions;
                                                                    seen.code = code;
                                                                    seen.value = value;
                                                                  })),
             [&context, &operation, before](diagnostics&) -> task<int> {
               auto running = pending<int>::start(context.get_executor(), nullptr, operation.start());
               CHECK(running.started());
               co_await before();
               auto outcome = co_await running.get();
               CHECK_FALSE(running.started());
               co_return outcome;
             });
}

asio::awaitable<void> nothing() { co_return; }

}  // namespace

TEST_SUITE("core/pending") {
  TEST_CASE("completed before it is waited for, or after") {
    for (const bool early : {true, false}) {
      asio::io_context context;
      by_hand operation;
      asio::cancellation_signal stop;
      finished_wait seen;
      wait_for(context, operation, stop, seen, [&]() -> asio::awaitable<void> {
        if (early) operation.complete({}, 5);
        co_return;
      });
      context.poll();
      CHECK(seen.completions == (early ? 1 : 0));
      operation.complete({}, 5);
      context.restart();
      context.run();
      CHECK(seen.completions == 1);
      CHECK(seen.code == error_code());
      CHECK(seen.value == 5);
      CHECK(operation.cancelled == 0);
    }
  }

  TEST_CASE("it is ready once it has completed, with a value or with an error") {
    asio::io_context context;
    by_hand operation;
    auto running = pending<int>::start(context.get_executor(), nullptr, operation.start());
    CHECK_FALSE(running.ready());
    operation.complete(errc::conflict, 0);
    CHECK(running.ready());
    running.cancel();
    CHECK(operation.cancelled == 0);
    CHECK_FALSE(pending<int>().started());
    CHECK_FALSE(pending<int>().ready());
  }

  TEST_CASE("a wait that is cancelled cancels the operation, and is over when that is") {
    for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
      asio::io_context context;
      by_hand operation;
      asio::cancellation_signal stop;
      finished_wait seen;
      wait_for(context, operation, stop, seen, nothing);
      context.poll();
      REQUIRE(seen.completions == 0);
      stop.emit(type);
      context.restart();
      context.run();
      CHECK(operation.cancelled == 1);
      CHECK(seen.completions == 1);
      CHECK(seen.code == condition::cancelled);
    }
  }

  TEST_CASE("so is one that is cancelled before it begins") {
    asio::io_context context;
    by_hand operation;
    asio::cancellation_signal stop;
    finished_wait seen;
    wait_for(context, operation, stop, seen, [&]() -> asio::awaitable<void> {
      stop.emit(asio::cancellation_type::total);
      co_return;
    });
    context.run();
    CHECK(operation.cancelled == 1);
    CHECK(seen.completions == 1);
    CHECK(seen.code == condition::cancelled);
  }

  TEST_CASE("dropped, or replaced, it is cancelled; what it keeps stays until it completes") {
    asio::io_context context;
    by_hand first;
    by_hand second;
    auto kept = std::make_shared<int>(1);
    {
      auto running = pending<int>::start(context.get_executor(), kept, first.start());
      CHECK(kept.use_count() == 2);
      running = pending<int>::start(context.get_executor(), kept, second.start());
      CHECK(first.cancelled == 1);
      CHECK(second.cancelled == 0);
      CHECK(kept.use_count() == 2);
    }
    CHECK(second.cancelled == 1);
    CHECK(kept.use_count() == 1);
    context.run();
  }

  TEST_CASE("an operation that takes its time to stop is waited for by nobody, and completes into nothing") {
    asio::io_context context;
    auto kept = std::make_shared<int>(1);
    completion_handler<int> late;
    {
      auto running = pending<int>::start(context.get_executor(), kept,
                                         [&](completion_handler<int> own) { own.swap(late); });
    }
    CHECK(kept.use_count() == 2);
    std::move(late)(error_code(), 3);
    CHECK(kept.use_count() == 1);
  }

  TEST_CASE("with its loop everything goes, also in the middle of a wait") {
    auto kept = std::make_shared<int>(1);
    {
      asio::io_context context;
      auto timer = std::make_shared<asio::steady_timer>(context, asio::steady_timer::time_point::max());
      spawn<void>(context.get_executor(), nullptr, completion_handler<void>([kept](error_code) {}),
                  [&context, kept, timer](diagnostics&) -> task<void> {
                    auto running = pending<void>::start(
                        context.get_executor(), kept,
                        [timer](completion_handler<void> own) { timer->async_wait(std::move(own)); });
                    auto over = co_await running.get();
                    co_return over;
                  });
      context.poll();
      CHECK(kept.use_count() > 2);
    }
    CHECK(kept.use_count() == 1);
  }
}

}  // namespace dockline
