// Every operation of the library with every kind of completion token.

#include "exchange/every_operation.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstddef>
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

// For each operation, refused and granted: a loop, what it is started on, and what it comes to with a callback.
template <class Check>
void for_each_operation(Check check) {
  for (const auto given : {stage::answers::refusals, stage::answers::successes}) {
    CAPTURE(given == stage::answers::successes);
    const stage where(given);
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      const error_code expected = outcome_of(what, where);
      asio::io_context context;
      scene on(where, context.get_executor());
      check(what, context, on, expected);
    }
  }
}

// What a coroutine that awaits an operation sees: a code, or the code in what is thrown.
asio::awaitable<error_code> seen_by(const operation& what, scene& on, awaited_by how, bool& with_words) {
  try {
    co_return co_await what.with->await(on, how);
  } catch (const boost::system::system_error& failure) {
    with_words = dynamic_cast<const error_with_diagnostics*>(&failure) != nullptr;
    co_return failure.code();
  }
}

// What is sent for one start of an operation, by the function that starts it.
template <class Start>
std::size_t requests_of(stage::answers given, Start start_on) {
  stage where(given);
  {
    asio::io_context context;
    scene on(where, context.get_executor());
    start_on(on);
    run_to_end(context);
  }
  std::size_t count = 0;
  for (const seen_connection& one : where.daemon.wait(0)) count += one.requests.size();
  return count;
}

}  // namespace

TEST_SUITE("exchange/every operation") {
  TEST_CASE("all of them are here") {
    // For structure/every_operation.py, which knows the headers.
    std::string names;
    for (const operation& what : all_operations()) names += std::string(what.name) + '\n';
    MESSAGE(all_operations().size() << " operations:\n" << names);
    CHECK_FALSE(all_operations().empty());
  }

  TEST_CASE("all goes well: none ends with an error, and its value is what was answered") {
    const stage where(stage::answers::successes);
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      diagnostics why;
      const error_code code = outcome_of(what, where, &why);
      CHECK_MESSAGE(code == error_code(), describe(code, why));
    }
  }

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
      if (why.server_message() != "not today") continue;
      ++refused;
      CHECK(code == errc::conflict);
    }
    CHECK(refused > 40);
  }

  TEST_CASE("use_awaitable, which throws the code, and the default token, which throws the words as well") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      for (const auto how : {awaited_by::use_awaitable, awaited_by::default_token}) {
        CAPTURE(how == awaited_by::default_token);
        in_loop(context, [&]() -> asio::awaitable<void> {
          bool with_words = false;
          const error_code seen = co_await seen_by(what, on, how, with_words);
          CHECK(seen == expected);
          CHECK(with_words == (expected && how == awaited_by::default_token));
        });
      }
    });
  }

  TEST_CASE("as_tuple and redirect_error, which do not throw") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      in_loop(context, [&]() -> asio::awaitable<void> {
        for (const auto how : {awaited_by::as_tuple, awaited_by::redirect_error})
          CHECK(co_await what.with->await(on, how) == expected);
      });
    });
  }

  TEST_CASE("deferred, which starts nothing by itself") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      const auto later = what.with->with_deferred(on);
      const std::size_t accepted = on.on.daemon.accepted();
      CHECK(context.poll() == 0);
      CHECK(on.on.daemon.accepted() == accepted);
      int completions = 0;
      error_code seen;
      later([&](error_code code) {
        ++completions;
        seen = code;
      });
      run_to_end(context);
      CHECK(completions == 1);
      CHECK(seen == expected);
    });
  }

  TEST_CASE("detached: it does all that it does with a callback, and leaves nothing") {
    for (const auto given : {stage::answers::refusals, stage::answers::successes}) {
      for (const operation& what : all_operations()) {
        CAPTURE(what.name);
        const std::size_t with_callback =
            requests_of(given, [&](scene& on) { start(what, on, nullptr, [](error_code) {}); });
        CHECK(requests_of(given, [&](scene& on) { what.with->with_detached(on); }) == with_callback);
      }
    }
  }

  TEST_CASE("awaitable operators: || with a timer that is later, && of two") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      in_loop(context, [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(context, patience);
        const auto first =
            co_await (what.with->await(on, awaited_by::as_tuple) || timer.async_wait(asio::use_awaitable));
        REQUIRE(first.index() == 0);
        CHECK(std::get<0>(first) == expected);
        const auto both = co_await (what.with->await(on, awaited_by::as_tuple) &&
                                    what.with->await(on, awaited_by::redirect_error));
        CHECK(std::get<0>(both) == expected);
        CHECK(std::get<1>(both) == expected);
      });
    });
  }

  TEST_CASE("on a strand") {
    for_each_operation([](const operation& what, asio::io_context& context, scene& on, error_code expected) {
      auto strand = asio::make_strand(context);
      int completions = 0;
      start(what, on, nullptr, asio::bind_executor(strand, [&](error_code code) {
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
      start(what, on, nullptr,
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
    const stage refusing;
    const stage granting(stage::answers::successes);
    asio::thread_pool pool(4);
    asio::thread_pool elsewhere(1);
    std::promise<std::thread::id> there;
    asio::post(elsewhere, [&] { there.set_value(std::this_thread::get_id()); });
    const auto home = there.get_future().get();
    for (const stage* where : {&refusing, &granting}) {
      for (const operation& what : all_operations()) {
        CAPTURE(what.name);
        const error_code expected = outcome_of(what, *where);
        scene on(*where, pool.get_executor());
        std::atomic<int> misplaced = 0;
        std::vector<std::future<error_code>> ends;
        for (int i = 0; i < 4; ++i) {
          // Each started on a thread of the pool.
          auto promised = std::make_shared<std::promise<error_code>>();
          ends.push_back(promised->get_future());
          asio::post(pool, [&, promised] {
            start(what, on, nullptr, asio::bind_executor(elsewhere, [&, promised](error_code code) {
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
        const auto future = what.with->with_use_future(on);
        error_code seen;
        try {
          seen = future(patience);
        } catch (const boost::system::system_error& failure) {
          CHECK(expected);
          seen = failure.code();
        }
        CHECK(seen == expected);
      }
    }
    pool.join();
    elsewhere.join();
  }
}

}  // namespace dockline::test
