#include "core/compact_strand.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace dockline {
namespace {

using namespace std::chrono_literals;
namespace execution = asio::execution;

}  // namespace

TEST_SUITE("core/compact_strand") {
  TEST_CASE("what is given to it runs one by one and in order, on however many threads") {
    asio::thread_pool pool(4);
    const asio::any_io_executor strand = make_compact_strand(pool.get_executor());
    std::atomic<int> at_once = 0;
    int done = 0;
    bool in_order = true;
    bool alone = true;
    for (int i = 0; i < 2'000; ++i) {
      asio::post(strand, [&, i] {
        alone = alone && ++at_once == 1;
        in_order = in_order && done++ == i;
        --at_once;
      });
    }
    pool.join();
    CHECK(done == 2'000);
    CHECK(in_order);
    CHECK(alone);
  }

  TEST_CASE("what is dispatched from within runs at once, what is posted runs later") {
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    std::string order;
    asio::dispatch(strand, [&] {
      asio::post(strand, [&] { order += "later"; });
      asio::dispatch(strand, [&] { order += "at once, "; });
      asio::dispatch(asio::require(strand, execution::blocking.never), [&] { order += ", later still"; });
    });
    CHECK(order.empty());
    context.run();
    CHECK(order == "at once, later, later still");
  }

  TEST_CASE("a loop goes on while a copy has work for it, and no longer") {
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    asio::any_io_executor work = asio::prefer(strand, execution::outstanding_work.tracked);
    asio::any_io_executor more = work;
    asio::any_io_executor other = std::move(work);
    const asio::any_io_executor none = asio::prefer(other, execution::outstanding_work.untracked);
    context.poll();
    CHECK_FALSE(context.stopped());
    more = none;
    context.poll();
    CHECK_FALSE(context.stopped());
    // From a thread that is none of the loop's, as that of a pool that hands a result over.
    std::thread elsewhere([&, last = std::move(other)]() mutable {
      asio::post(last, [] {});
      last = none;
    });
    elsewhere.join();
    context.restart();
    CHECK(context.run_for(5s) == 1);
    CHECK(context.stopped());
  }

  TEST_CASE("it is of its loop's context, equal to its copies, and to no other strand") {
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    CHECK(&asio::query(strand, execution::context) == &context);
    CHECK(strand == asio::any_io_executor(strand));
    CHECK(strand != make_compact_strand(context.get_executor()));
  }
}

}  // namespace dockline
