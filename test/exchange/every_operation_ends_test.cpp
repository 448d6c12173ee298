// Every operation of the library cancelled, or left alone with its loop, after each step that it takes.

#include "exchange/every_operation.hpp"
#include "support/entries_of.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace dockline::test {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr std::array types{asio::cancellation_type::terminal, asio::cancellation_type::partial,
                           asio::cancellation_type::total};

// What is tried of it is bounded: no operation here takes as many steps.
constexpr int most_steps = 400;

// How many of the steps of an operation are tried, of its first, of its last and of those between.
constexpr int tried_at_an_end = 10;
constexpr int tried_between = 15;

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

// Lets what is going on go on until it waits for the daemon, or is over.
void run_until_it_waits(asio::io_context& context) {
  context.restart();
  while (context.run_one_for(longest_step) != 0) {
  }
}

struct seen_end {
  int completions = 0;
  error_code code;
};

void start_with(const operation& what, scene& on, asio::cancellation_signal& stop, seen_end& end) {
  start(what, on, nullptr, asio::bind_cancellation_slot(stop.slot(), [&end](error_code code) {
          ++end.completions;
          end.code = code;
        }));
}

// How many handlers an operation takes to its completion: a few more or less, since the kernel cuts what is sent.
int steps_of(const operation& what, const stage& where) {
  asio::io_context context;
  scene on(where, context.get_executor());
  bool over = false;
  start(what, on, nullptr, [&over](error_code) { over = true; });
  int steps = 0;
  while (!over && context.run_one_for(patience) != 0) ++steps;
  CHECK(over);
  run_to_end(context);
  return steps;
}

// What it comes to where it is refused.
error_code refusal_of(const operation& what) {
  const stage refusing;
  return outcome_of(what, refusing);
}

// Which of `all` steps are tried: the first, the last and as many between, the same ones in each run.
std::vector<int> steps_to_try(int all) {
  std::vector<int> chosen;
  const int between = std::max(1, (all - 2 * tried_at_an_end) / tried_between);
  for (int step = 0; step <= all + 2; ++step) {
    const bool at_an_end = step < tried_at_an_end || step > all - tried_at_an_end;
    if (at_an_end || step % between == 0) chosen.push_back(step);
  }
  return chosen;
}

// The operation with a signal of the given type after `steps`. False when it was over by then.
bool cancelled_after(const operation& what, stage& where, asio::cancellation_type type, int steps,
                     error_code expected) {
  bool goes_on = false;
  {
    asio::io_context context;
    scene on(where, context.get_executor());
    asio::cancellation_signal stop;
    seen_end end;
    start_with(what, on, stop, end);
    goes_on = run_steps(context, steps) && end.completions == 0;
    if (goes_on) stop.emit(type);
    run_to_end(context);
    CHECK(end.completions == 1);
    // It may have been over when it heard of it.
    CHECK((end.code == condition::cancelled || end.code == expected));
    check_of_use(what, context, on);
  }
  CHECK(where.daemon.wait_until_quiet());
  return goes_on;
}

// The same where nobody answers. False when it waited, or was over, by then.
bool ends_after(const operation& what, stage& silent, asio::cancellation_type type, int steps,
                error_code refusal) {
  bool goes_on = true;
  {
    asio::io_context context;
    scene on(silent, context.get_executor());
    asio::cancellation_signal stop;
    seen_end end;
    start_with(what, on, stop, end);
    // Out of a handler, the request overtakes what is queued: an operation that is over, whose caller does not know.
    asio::post(context, [&] {
      for (int i = 0; goes_on && i < steps; ++i) goes_on = context.run_one_for(longest_step) != 0;
      goes_on = goes_on && end.completions == 0;
      stop.emit(type);
    });
    run_to_end(context);
    CHECK(end.completions == 1);
    // What a daemon would have refused it cannot have got from a silent one.
    CHECK((end.code == condition::cancelled || (!end.code && !refusal)));
  }
  CHECK(silent.daemon.wait_until_quiet());
  return goes_on;
}

// Calls `check` with each operation, and a stage of its own, which leaves no descriptor behind.
template <class Check>
void on_a_stage_for_each(stage::answers given, Check check) {
  for (const operation& what : all_operations()) {
    CAPTURE(what.name);
    const std::size_t descriptors = entries_of("/proc/self/fd");
    {
      stage where(given);
      check(what, where);
    }
    CHECK(entries_of("/proc/self/fd") == descriptors);
  }
}

void check_each_step(const operation& what, stage& where) {
  const error_code expected = outcome_of(what, where);
  const int all = steps_of(what, where);
  CHECK(all > 0);
  CHECK(all < most_steps);
  for (const int steps : steps_to_try(all)) {
    CAPTURE(steps);
    for (const auto type : types) {
      CAPTURE(static_cast<unsigned>(type));
      const bool goes_on = cancelled_after(what, where, type, steps, expected);
      if (steps == 0) CHECK(goes_on);
    }
  }
}

}  // namespace

TEST_SUITE("exchange/every operation") {
  TEST_CASE(
      "each type of cancellation after each step of what is refused: once, with its code, and no trace") {
    on_a_stage_for_each(stage::answers::refusals, &check_each_step);
  }

  TEST_CASE(
      "each type of cancellation after each step of what goes well: once, with its code, and no trace") {
    on_a_stage_for_each(stage::answers::successes, &check_each_step);
  }

  TEST_CASE(
      "a daemon that is silent: each type ends it at once, and the same client is served when it speaks") {
    on_a_stage_for_each(stage::answers::none, [](const operation& what, stage& where) {
      const error_code refusal = refusal_of(what);
      for (const auto type : types) {
        CAPTURE(static_cast<unsigned>(type));
        {
          asio::io_context context;
          scene on(where, context.get_executor());
          asio::cancellation_signal stop;
          seen_end end;
          start_with(what, on, stop, end);
          run_until_it_waits(context);
          const bool waits = end.completions == 0;
          CHECK((waits || (!end.code && !refusal)));
          stop.emit(type);
          const auto began = std::chrono::steady_clock::now();
          run_to_end(context);
          CHECK(std::chrono::steady_clock::now() - began < 20 * prompt);
          CHECK(end.completions == 1);
          if (waits) CHECK(end.code == condition::cancelled);
          where.answer_with(stage::answers::refusals);
          check_of_use(what, context, on);
          seen_end again;
          asio::cancellation_signal unused;
          start_with(what, on, unused, again);
          run_to_end(context);
          CHECK(again.completions == 1);
          CHECK(again.code == refusal);
          where.answer_with(stage::answers::none);
        }
        CHECK(where.daemon.wait_until_quiet());
      }
    });
  }

  TEST_CASE(
      "a daemon that is silent, each type of cancellation after each step up to it: none is overheard") {
    for (const auto given : {stage::answers::none, stage::answers::pings}) {
      CAPTURE(given == stage::answers::pings);
      on_a_stage_for_each(given, [](const operation& what, stage& where) {
        const error_code refusal = refusal_of(what);
        for (const auto type : types) {
          CAPTURE(static_cast<unsigned>(type));
          for (int steps = 0; steps < most_steps; ++steps) {
            CAPTURE(steps);
            if (!ends_after(what, where, type, steps, refusal)) break;
          }
        }
      });
    }
  }

  TEST_CASE("|| with a timer that is earlier: the operation is over, and its client of use") {
    int sooner = 0;
    for (const auto given : {stage::answers::none, stage::answers::successes}) {
      CAPTURE(given == stage::answers::successes);
      on_a_stage_for_each(given, [&](const operation& what, stage& where) {
        {
          asio::io_context context;
          scene on(where, context.get_executor());
          in_loop(context, [&]() -> asio::awaitable<void> {
            const std::chrono::milliseconds soon(given == stage::answers::none ? 2 : 0);
            asio::steady_timer timer(context, soon);
            const auto first = co_await (what.with->await(on, awaited_by::as_tuple) ||
                                         timer.async_wait(asio::use_awaitable));
            // What asks no daemon, or has its answer, may have been sooner.
            if (first.index() == 0) {
              CHECK(std::get<0>(first) == error_code());
            } else {
              ++sooner;
              CHECK(timer.expiry() <= asio::steady_timer::clock_type::now());
            }
          });
          // The loop had nothing more to do: nothing of the operation goes on without its caller.
          where.answer_with(stage::answers::successes);
          check_of_use(what, context, on);
        }
        CHECK(where.daemon.wait_until_quiet());
      });
    }
    CHECK(sooner > 40);
  }

  TEST_CASE("the client goes at once, and the loop after each step, with the operation in it") {
    for (const auto given : {stage::answers::refusals, stage::answers::successes}) {
      CAPTURE(given == stage::answers::successes);
      on_a_stage_for_each(given, [](const operation& what, stage& where) {
        bool goes_on = true;
        for (int steps = 0; goes_on && steps < most_steps; ++steps) {
          const auto kept = std::make_shared<int>();
          int completions = 0;
          {
            asio::io_context context;
            {
              scene on(where, context.get_executor());
              start(what, on, nullptr, [&completions, kept](error_code) { ++completions; });
            }
            goes_on = run_steps(context, steps) && completions == 0;
          }
          CHECK(completions == (goes_on ? 0 : 1));
          CHECK(kept.use_count() == 1);
          CHECK(where.daemon.wait_until_quiet());
        }
        CHECK_FALSE(goes_on);
      });
    }
  }

  TEST_CASE("what is deferred, or to be awaited, is dropped before it is started: nothing was asked") {
    on_a_stage_for_each(stage::answers::successes, [](const operation& what, stage& where) {
      asio::io_context context;
      {
        scene on(where, context.get_executor());
        const auto later = what.with->with_deferred(on);
        for (const auto how : {awaited_by::default_token, awaited_by::use_awaitable, awaited_by::as_tuple,
                               awaited_by::redirect_error})
          const auto unawaited = what.with->await(on, how);
        // And one that outlives its client.
        const auto kept = std::make_shared<std::function<void(completion_handler<void>)>>(later);
        asio::post(context, [kept] {});
      }
      run_to_end(context);
      CHECK(where.daemon.accepted() == 0);
    });
  }

  TEST_CASE("the threads' context goes while operations run on it, on four threads: nothing is kept") {
    for (const auto given : {stage::answers::none, stage::answers::refusals, stage::answers::successes}) {
      on_a_stage_for_each(given, [given](const operation& what, stage& where) {
        // At once, and, where there is an answer, when the first one of them is over.
        for (const bool at_once : {true, false}) {
          if (!at_once && given == stage::answers::none) continue;
          const auto kept = std::make_shared<int>();
          gate first_is_over;
          {
            asio::thread_pool pool(4);
            scene on(where, pool.get_executor());
            for (int i = 0; i < 4; ++i)
              start(what, on, nullptr, [&, kept](error_code) { first_is_over.open(); });
            if (!at_once) CHECK(first_is_over.wait());
            pool.stop();
            pool.join();
          }
          CHECK(kept.use_count() == 1);
          CHECK(where.daemon.wait_until_quiet());
        }
      });
    }
  }
}

}  // namespace dockline::test
