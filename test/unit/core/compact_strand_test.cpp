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
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dockline {
namespace {

using namespace std::chrono_literals;
namespace execution = asio::execution;

// A function that keeps the strand alive in which it waits, as the handlers of a client do.
struct owner {
  asio::any_io_executor strand;
  std::shared_ptr<int> kept;
  void operator()() const {}
};

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

  TEST_CASE(
      "many threads post and dispatch to it: one function at a time, those of a thread in order, none is "
      "left") {
    constexpr int producers = 6;
    constexpr int each = 5'000;
    std::vector<int> next(producers, 0);
    int done = 0;  // by whoever is in the strand: the thread sanitizer would see two
    bool in_order = true;
    {
      asio::thread_pool pool(4);
      const asio::any_io_executor strand = make_compact_strand(pool.get_executor());
      std::vector<std::thread> threads;
      for (int& mine : next) {
        threads.emplace_back([&] {
          for (int i = 0; i < each; ++i) {
            const auto function = [&, i] {
              in_order = in_order && mine++ == i;
              ++done;
            };
            if (i % 2 == 0)
              asio::post(strand, function);
            else
              asio::dispatch(strand, function);
            // In a thread of the pool, which may call it at once.
            asio::post(pool, [&done, strand] { asio::dispatch(strand, [&done] { ++done; }); });
          }
        });
      }
      for (auto& one : threads) one.join();
      pool.join();
    }
    CHECK(done == 2 * producers * each);
    CHECK(in_order);
    CHECK(next == std::vector<int>(producers, each));
  }

  TEST_CASE("what a function throws leaves the loop at once, and those behind it are called after") {
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    std::string order;
    asio::post(strand, [&] {
      order += "first ";
      asio::post(strand, [&] { order += "fourth"; });
    });
    asio::post(strand, [&] {
      order += "second ";
      throw std::runtime_error("by a function");
    });
    asio::post(strand, [&] { order += "third "; });
    CHECK_THROWS_WITH_AS(context.run(), "by a function", std::runtime_error);
    CHECK(order == "first second ");
    context.run();
    CHECK(order == "first second third fourth");
  }

  TEST_CASE("what is dispatched where the executor calls it at once throws there, and the strand goes on") {
    asio::io_context context;
    const asio::any_io_executor outer = make_compact_strand(context.get_executor());
    const asio::any_io_executor inner = make_compact_strand(outer);
    int called = 0;
    asio::post(outer, [&] {
      CHECK_THROWS_WITH_AS(asio::dispatch(inner, [] { throw std::runtime_error("at once"); }), "at once",
                           std::runtime_error);
      asio::dispatch(inner, [&] { ++called; });
      CHECK(called == 1);
    });
    context.run();
    CHECK(called == 1);
  }

  TEST_CASE("one that never comes to an end leaves the loop to others") {
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    std::string order;
    struct again {
      const asio::any_io_executor& strand;
      std::string& order;
      void operator()() const {
        order += 'a';
        if (order.size() < 6) asio::post(strand, again(*this));
      }
    };
    asio::post(strand, again{strand, order});
    asio::post(context, [&] { order += 'o'; });
    context.run();
    CHECK(order == "aoaaaa");
  }

  TEST_CASE("a strand of a strand is one") {
    asio::thread_pool pool(4);
    const asio::any_io_executor outer = make_compact_strand(pool.get_executor());
    const asio::any_io_executor inner = make_compact_strand(outer);
    int done = 0;
    for (int i = 0; i < 1'000; ++i) {
      asio::post(outer, [&] { ++done; });
      asio::dispatch(inner, [&] { ++done; });
    }
    pool.join();
    CHECK(done == 2'000);
  }

  TEST_CASE("what waits in it goes with the context, and so does the strand that it owns") {
    const auto kept = std::make_shared<int>();
    std::optional<asio::io_context> context(std::in_place);
    asio::any_io_executor strand = make_compact_strand(context->get_executor());
    asio::post(strand, owner{strand, kept});
    SUBCASE("before the loop ran") {}
    SUBCASE("when it was stopped in between") {
      asio::post(strand, [&] {
        asio::post(strand, owner{strand, kept});
        context->stop();
      });
      context->run();
    }
    SUBCASE("when what goes queues more") {
      struct late {
        asio::any_io_executor strand;
        std::shared_ptr<int> kept;
        ~late() {
          if (kept) asio::post(strand, owner{strand, kept});
        }
      };
      asio::post(strand, [more = std::make_unique<late>(late{strand, kept})] {});
    }
    SUBCASE("after a function threw") {
      asio::post(strand, [] { throw std::runtime_error("by a function"); });
      asio::post(strand, owner{strand, kept});
      CHECK_THROWS_AS(context->run(), std::runtime_error);
    }
    CHECK(kept.use_count() > 1);
    context.reset();
    CHECK(kept.use_count() == 1);
    // And it may be the last that is left.
    strand = asio::any_io_executor();
  }
}

}  // namespace dockline
