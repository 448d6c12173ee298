// Every operation of the library with every kind of completion token.

#include "exchange/every_operation.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace dockline::test {
namespace {

using namespace asio::experimental::awaitable_operators;

// Counts what is allocated by it and not given back.
template <class T>
struct counting_allocator {
  using value_type = T;

  explicit counting_allocator(int& owned) : live(&owned) {}
  template <class Other>
  counting_allocator(const counting_allocator<Other>& other) : live(other.live) {}

  T* allocate(std::size_t count) {
    ++*live;
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* memory, std::size_t count) {
    --*live;
    std::allocator<T>().deallocate(memory, count);
  }
  template <class Other>
  bool operator==(const counting_allocator<Other>& other) const {
    return live == other.live;
  }

  int* live;
};

// For each operation: a loop, what it is started on, and what it comes to with a callback.
template <class Check>
void for_each_operation(Check check) {
  const stage where;
  REQUIRE(all_operations().size() > 40);
  for (const operation& what : all_operations()) {
    CAPTURE(what.name);
    const error_code expected = outcome_of(what, where);
    asio::io_context context;
    scene on(where, context.get_executor());
    check(what, context, on, expected);
  }
}

}  // namespace

TEST_SUITE("exchange/every operation") {
  TEST_CASE("a callback, and the words of a refusal") {
    const stage where;
    int refused = 0;
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      diagnostics why;
      why.set_client_message("of another operation");
      const error_code code = outcome_of(what, where, &why);
      CHECK(code == outcome_of(what, where));
      // Of what does not fail nobody says anything; of what does, who refuses it, but for a HEAD.
      if (what.name != "engine::async_container_path_stat") CHECK(static_cast<bool>(code) != why.empty());
      if (why.server_message() == "not today") ++refused;
    }
    CHECK(refused > 40);
  }

  TEST_CASE("use_awaitable, which throws the code") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      error_code seen;
      in_loop(context, [&]() -> asio::awaitable<void> {
        try {
          co_await async_start(what, on, nullptr, asio::use_awaitable);
        } catch (const boost::system::system_error& failure) {
          seen = failure.code();
        }
      });
      CHECK(seen == expected);
    });
  }

  TEST_CASE("as_tuple and redirect_error, which do not") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      error_code seen;
      in_loop(context, [&]() -> asio::awaitable<void> {
        auto [code] = co_await async_start(what, on, nullptr, asio::as_tuple(asio::use_awaitable));
        CHECK(code == expected);
        co_await async_start(what, on, nullptr, asio::redirect_error(asio::use_awaitable, seen));
      });
      CHECK(seen == expected);
    });
  }

  TEST_CASE("deferred, which starts nothing by itself") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      auto later = async_start(what, on, nullptr, asio::deferred);
      CHECK(context.poll() == 0);
      error_code seen = asio::error::operation_aborted;
      std::move(later)([&](error_code code) { seen = code; });
      run_to_end(context);
      CHECK(seen == expected);
    });
  }

  TEST_CASE("detached") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code) {
      async_start(what, on, nullptr, asio::detached);
      run_to_end(context);
    });
  }

  TEST_CASE("awaitable operators: || with a timer that is later, && of two") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      in_loop(context, [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(context, patience);
        const auto first = co_await (async_start(what, on, nullptr, asio::as_tuple(asio::use_awaitable)) ||
                                     timer.async_wait(asio::use_awaitable));
        REQUIRE(first.index() == 0);
        CHECK(std::get<0>(std::get<0>(first)) == expected);
        const auto both = co_await (async_start(what, on, nullptr, asio::as_tuple(asio::use_awaitable)) &&
                                    async_start(what, on, nullptr, asio::as_tuple(asio::use_awaitable)));
        CHECK(std::get<0>(both) == expected);
        CHECK(std::get<0>(std::get<1>(both)) == expected);  // Asio joins the first one's tuple only
      });
    });
  }

  TEST_CASE("on a strand") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      auto strand = asio::make_strand(context);
      int completions = 0;
      async_start(what, on, nullptr, asio::bind_executor(strand, [&](error_code code) {
                    ++completions;
                    CHECK(strand.running_in_this_thread());
                    CHECK(code == expected);
                  }));
      run_to_end(context);
      CHECK(completions == 1);
    });
  }

  TEST_CASE("a handler that only moves, with an allocator, whose memory is given back before it is called") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      int live = 0;
      int completions = 0;
      auto owned = std::make_unique<int>(7);
      async_start(what, on, nullptr,
                  asio::bind_allocator(counting_allocator<char>(live),
                                       [&, owned = std::move(owned)](error_code code) mutable {
                                         ++completions;
                                         CHECK(live == 0);
                                         CHECK(*owned == 7);
                                         CHECK(code == expected);
                                       }));
      CHECK(live > 0);
      run_to_end(context);
      CHECK(completions == 1);
      CHECK(live == 0);
    });
  }

  TEST_CASE("a future, a thread pool of four, and completion on another executor") {
    const stage where;
    asio::thread_pool pool(4);
    asio::thread_pool elsewhere(1);
    std::promise<std::thread::id> there;
    asio::post(elsewhere, [&] { there.set_value(std::this_thread::get_id()); });
    const auto home = there.get_future().get();
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      const error_code expected = outcome_of(what, where);
      scene on(where, pool.get_executor());
      std::atomic<int> misplaced = 0;
      std::vector<std::future<error_code>> ends;
      for (int i = 0; i < 4; ++i) {
        // Each started on a thread of the pool.
        auto promised = std::make_shared<std::promise<error_code>>();
        ends.push_back(promised->get_future());
        asio::post(pool, [&, promised] {
          async_start(what, on, nullptr, asio::bind_executor(elsewhere, [&, promised](error_code code) {
                        if (std::this_thread::get_id() != home) ++misplaced;
                        promised->set_value(code);
                      }));
        });
      }
      for (auto& end : ends) {
        REQUIRE(end.wait_for(patience) == std::future_status::ready);
        CHECK(end.get() == expected);
      }
      CHECK(misplaced == 0);
      auto future = async_start(what, on, nullptr, asio::use_future);
      REQUIRE(future.wait_for(patience) == std::future_status::ready);
      error_code seen;
      try {
        future.get();
      } catch (const boost::system::system_error& failure) {
        seen = failure.code();
      }
      CHECK(seen == expected);
    }
    pool.join();
    elsewhere.join();
  }
}

}  // namespace dockline::test
