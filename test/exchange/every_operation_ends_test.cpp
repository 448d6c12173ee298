// Every operation of the library cancelled, or left alone with its loop, after each step that it takes.

#include "exchange/every_operation.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <memory>

namespace dockline::test {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr std::array types{asio::cancellation_type::terminal, asio::cancellation_type::partial,
                           asio::cancellation_type::total};

// What is tried of it is bounded: no operation here takes as many steps.
constexpr int most_steps = 400;

// What takes longer waits for the daemon.
constexpr std::chrono::milliseconds longest_step{20};

// Lets up to `count` handlers run; false when there were no more.
bool run_steps(asio::io_context& context, int count) {
  context.restart();
  for (int i = 0; i < count; ++i) {
    if (context.run_one_for(patience) == 0) return false;
  }
  return true;
}

struct seen_end {
  int completions = 0;
  error_code code;
};

void start_with(const operation& what, scene& on, asio::cancellation_signal& stop, seen_end& end) {
  async_start(what, on, nullptr, asio::bind_cancellation_slot(stop.slot(), [&end](error_code code) {
                ++end.completions;
                end.code = code;
              }));
}

// The operation with a signal of the given type after `steps`. False when it was over by then.
bool cancelled_after(const operation& what, const stage& where, asio::cancellation_type type, int steps,
                     error_code expected) {
  asio::io_context context;
  scene on(where, context.get_executor());
  asio::cancellation_signal stop;
  seen_end end;
  start_with(what, on, stop, end);
  const bool goes_on = run_steps(context, steps) && end.completions == 0;
  if (goes_on) stop.emit(type);
  run_to_end(context);
  CHECK(end.completions == 1);
  // It may have been over when it heard of it.
  CHECK((end.code == condition::cancelled || end.code == expected));
  return goes_on;
}

// The same where nobody answers. False when it waited, or was over, by then.
bool ends_after(const operation& what, const stage& silent, asio::cancellation_type type, int steps) {
  asio::io_context context;
  scene on(silent, context.get_executor());
  asio::cancellation_signal stop;
  seen_end end;
  start_with(what, on, stop, end);
  bool goes_on = true;
  // Out of a handler, the request overtakes what is queued: an operation that is over, whose caller does not know.
  asio::post(context, [&] {
    for (int i = 0; goes_on && i < steps; ++i) goes_on = context.run_one_for(longest_step) != 0;
    goes_on = goes_on && end.completions == 0;
    stop.emit(type);
  });
  run_to_end(context);
  CHECK(end.completions == 1);
  return goes_on;
}

}  // namespace

TEST_SUITE("exchange/every operation") {
  TEST_CASE("each type of cancellation after each step: once, with its code; the daemon is used again") {
    const stage where;
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      const error_code expected = outcome_of(what, where);
      int steps = 0;
      while (steps < most_steps) {
        CAPTURE(steps);
        if (!cancelled_after(what, where, types[static_cast<std::size_t>(steps) % types.size()], steps,
                             expected))
          break;
        ++steps;
      }
      CHECK(steps > 0);
      CHECK(steps < most_steps);
    }
  }

  TEST_CASE("a daemon that is silent: each type ends it at once, and the same client serves another one") {
    const stage where(stage::answers::none);
    const stage other;
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      const error_code refusal = outcome_of(what, other);
      for (const auto type : types) {
        // Once is enough of what takes its time.
        if (what.how == manner::takes_back && type != asio::cancellation_type::total) continue;
        asio::io_context context;
        scene on(where, context.get_executor());
        for (int round = 0; round < (what.how == manner::takes_back ? 1 : 2); ++round) {
          asio::cancellation_signal stop;
          seen_end end;
          start_with(what, on, stop, end);
          context.restart();
          context.run_for(std::chrono::milliseconds(3));
          const bool waits = end.completions == 0;
          stop.emit(type);
          const auto began = std::chrono::steady_clock::now();
          run_to_end(context);
          CHECK(end.completions == 1);
          if (waits) {
            // What asks for an end is answered by this daemon, too.
            CHECK((!end.code || end.code == condition::cancelled || end.code == refusal));
            const auto longest = what.how == manner::takes_back ? patience : 20 * prompt;
            CHECK(std::chrono::steady_clock::now() - began < longest);
          }
        }
      }
    }
  }

  TEST_CASE(
      "a daemon that is silent, each type of cancellation after each step up to it: none is overheard") {
    const stage silent(stage::answers::none);
    const stage later(stage::answers::pings);
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      // Two seconds each, which the test above waits for.
      if (what.how == manner::takes_back) continue;
      for (const stage* where : {&silent, &later}) {
        CAPTURE(where == &later);
        for (const auto type : types) {
          for (int steps = 0; steps < most_steps; ++steps) {
            CAPTURE(steps);
            if (!ends_after(what, *where, type, steps)) break;
          }
        }
      }
    }
  }

  TEST_CASE("|| with a timer that is earlier") {
    const stage where(stage::answers::none);
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      if (what.how == manner::takes_back) continue;
      asio::io_context context;
      scene on(where, context.get_executor());
      in_loop(context, [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(context, std::chrono::milliseconds(2));
        const auto first = co_await (async_start(what, on, nullptr, asio::as_tuple(asio::use_awaitable)) ||
                                     timer.async_wait(asio::use_awaitable));
        // What asks no daemon may have been sooner.
        if (first.index() == 0) CHECK(std::get<0>(std::get<0>(first)) != condition::cancelled);
      });
    }
  }

  TEST_CASE("the client goes at once, and the loop after each step, with the operation in it") {
    const stage where;
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      bool goes_on = true;
      for (int steps = 0; goes_on && steps < most_steps; ++steps) {
        const auto kept = std::make_shared<int>();
        int completions = 0;
        {
          asio::io_context context;
          {
            scene on(where, context.get_executor());
            async_start(what, on, nullptr, [&completions, kept](error_code) { ++completions; });
          }
          goes_on = run_steps(context, steps) && completions == 0;
        }
        CHECK(completions == (goes_on ? 0 : 1));
        CHECK(kept.use_count() == 1);
      }
      CHECK_FALSE(goes_on);
    }
  }
}

}  // namespace dockline::test
