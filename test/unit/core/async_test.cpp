#include "dockline/core/async.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

namespace dockline {
namespace {

namespace asio = boost::asio;

struct context_of_test {
  asio::io_context* loop = nullptr;
  bool fails = false;
};

// A compiled operation, as the library has them.
void start_it(context_of_test what, diagnostics* why, completion_handler<int> handler) {
  asio::post(*what.loop, [what, why, handler = std::move(handler)]() mutable {
    if (what.fails && why != nullptr) why->set_server_message("it said no");
    const error_code code = what.fails ? error_code(errc::denied) : error_code();
    auto home = asio::get_associated_executor(handler, what.loop->get_executor());
    asio::dispatch(
        home, [handler = std::move(handler), code]() mutable { std::move(handler)(code, code ? 0 : 42); });
  });
}

template <class Token = default_token>
auto async_it(context_of_test what, diagnostics& why, Token&& token = {}) {
  return initiate<int>(&start_it, std::forward<Token>(token), &why, what);
}
template <class Token = default_token>
auto async_it(context_of_test what, Token&& token = {}) {
  return initiate<int>(&start_it, std::forward<Token>(token), nullptr, what);
}

}  // namespace

TEST_SUITE("core/async") {
  TEST_CASE("with_diagnostics gives what was said to whoever catches") {
    asio::io_context context;
    auto good = async_it({&context, false}, with_diagnostics(asio::use_future));
    auto bad = async_it({&context, true}, with_diagnostics(asio::use_future));
    diagnostics why;
    auto told = async_it({&context, true}, why, with_diagnostics(asio::use_future));
    auto bare = async_it({&context, true}, asio::use_future);
    context.run();
    CHECK(good.get() == 42);
    CHECK_THROWS_WITH_AS(bad.get(), "it said no", error_with_diagnostics);
    CHECK_THROWS_WITH_AS(told.get(), "it said no", error_with_diagnostics);
    CHECK(why.server_message() == "it said no");
    CHECK_THROWS_AS(bare.get(), boost::system::system_error);
  }

  TEST_CASE("the default token throws into the coroutine that awaits") {
    asio::io_context context;
    std::string said;
    int value = 0;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          value = co_await async_it({&context, false});
          try {
            co_await async_it({&context, true});
          } catch (const error_with_diagnostics& failure) {
            said = failure.what();
          }
        },
        [](std::exception_ptr failure) { CHECK_FALSE(failure); });
    context.run();
    CHECK(value == 42);
    CHECK(said == "it said no");
  }

  TEST_CASE("with_diagnostics keeps the executor and the slot of the handler inside it") {
    asio::io_context context;
    asio::io_context other;
    asio::cancellation_signal stop;
    int completions = 0;
    async_it({&context, true},
             with_diagnostics(asio::bind_cancellation_slot(
                 stop.slot(), asio::bind_executor(other, [&](std::exception_ptr failure, int) {
                   CHECK(failure);
                   ++completions;
                 }))));
    context.run();
    CHECK(completions == 0);
    other.run();
    CHECK(completions == 1);
  }
}

}  // namespace dockline
