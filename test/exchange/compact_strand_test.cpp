#include "core/compact_strand.hpp"

#include "support/failing_memory.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <new>
#include <optional>
#include <string>

namespace dockline::test {
namespace {

// How many allocations of `what` failed, each in its turn with std::bad_alloc. `after` is called after each of them.
template <class What, class After>
int fail_each_allocation_of(What what, After after) {
  for (long before = 0;; ++before) {
    bool thrown = false;
    bool failed = false;
    {
      const failing_allocation one(before);
      try {
        what();
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      failed = one.happened();
    }
    CHECK(thrown == failed);
    after(failed);
    if (!failed) return static_cast<int>(before);
  }
}

}  // namespace

TEST_SUITE("exchange/compact strand") {
  TEST_CASE("copies of it, with work or without, need no memory") {
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    const failing_allocation one(0);
    const asio::any_io_executor copy = strand;
    const asio::any_io_executor work = asio::prefer(copy, asio::execution::outstanding_work.tracked);
    const asio::any_io_executor posts = asio::require(work, asio::execution::blocking.never);
    CHECK_FALSE(one.happened());
  }

  TEST_CASE("each allocation for a new one fails: there is none, and the next one works") {
    if (!has_own_new) {
      MESSAGE("skipped: the thread sanitizer's operator new cannot be replaced");
      return;
    }
    asio::io_context context;
    int called = 0;
    const int failures =
        fail_each_allocation_of([&] { const auto strand = make_compact_strand(context.get_executor()); },
                                [&](bool) {
                                  asio::post(make_compact_strand(context.get_executor()), [&] { ++called; });
                                  context.restart();
                                  context.run();
                                });
    CHECK(failures > 1);
    CHECK(called == failures + 1);
  }

  TEST_CASE(
      "each allocation for a function fails: it is not called and not kept, and those before and after are") {
    if (!has_own_new) {
      MESSAGE("skipped: the thread sanitizer's operator new cannot be replaced");
      return;
    }
    const auto kept = std::make_shared<int>();
    int expected = 0;
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    const auto start = [&](auto queue) {
      const int failures = fail_each_allocation_of([&] { queue([kept] { ++*kept; }); },
                                                   [&](bool failed) {
                                                     if (!failed) ++expected;
                                                     context.restart();
                                                     context.run();
                                                     CHECK(*kept == expected);
                                                     CHECK(kept.use_count() == 1);
                                                   });
      CHECK(failures > 1);
    };
    start([&](auto function) { asio::post(strand, function); });
    start([&](auto function) { asio::dispatch(strand, function); });
  }

  TEST_CASE("there is no memory to go on later: it goes on at once") {
    if (!has_own_new) {
      MESSAGE("skipped: the thread sanitizer's operator new cannot be replaced");
      return;
    }
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    std::string order;
    std::optional<failing_allocation> one;
    asio::post(strand, [&] {
      for (const char letter : {'b', 'c', 'd'}) asio::post(strand, [&order, letter] { order += letter; });
      order += 'a';
      one.emplace(0);
    });
    asio::post(context, [&] { order += 'z'; });
    context.run();
    CHECK(one->happened());
    CHECK(order == "abcdz");
  }
}

}  // namespace dockline::test
