#include "core/spawn.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace dockline {
namespace {

using namespace std::chrono_literals;

struct ended {
  int completions = 0;
  error_code code;
  int value = -1;

  auto handler() {
    return [this](error_code what, int number) {
      ++completions;
      code = what;
      value = number;
    };
  }
};

template <class Body>
ended run(Body body) {
  asio::io_context context;
  ended seen;
  spawn<int>(context.get_executor(), nullptr, completion_handler<int>(seen.handler()), std::move(body));
  context.run();
  CHECK(seen.completions == 1);
  return seen;
}

task<int> forever(asio::io_context& context) {
  asio::steady_timer timer(context, asio::steady_timer::time_point::max());
  auto [code] = co_await timer.async_wait(no_throw);
  co_return code;
}

}  // namespace

TEST_SUITE("core/spawn") {
  TEST_CASE("what the body returns is what the handler gets") {
    const ended good = run([](diagnostics&) -> task<int> { co_return 7; });
    CHECK(good.code == error_code());
    CHECK(good.value == 7);
    const ended bad = run([](diagnostics&) -> task<int> { co_return errc::not_found; });
    CHECK(bad.code == errc::not_found);
    CHECK(bad.value == 0);
  }

  TEST_CASE("an exception becomes its code") {
    const auto thrown = [](auto what) {
      return run([what](diagnostics&) -> task<int> {
               throw what;
               co_return 0;
             })
          .code;
    };
    CHECK(thrown(boost::system::system_error(errc::conflict)) == errc::conflict);
    CHECK(thrown(std::system_error(ENOSPC, std::generic_category())) ==
          boost::system::errc::no_space_on_device);
    CHECK(thrown(std::bad_alloc()) == boost::system::errc::not_enough_memory);
    CHECK(thrown(std::runtime_error("x")) == boost::system::errc::state_not_recoverable);
    CHECK(thrown(1) == boost::system::errc::state_not_recoverable);
  }

  TEST_CASE("the diagnostics are emptied first, and one's own if none were given") {
    diagnostics why;
    why.set_client_message("of the last operation");
    asio::io_context context;
    spawn<void>(context.get_executor(), &why, completion_handler<void>([](error_code) {}),
                [](diagnostics& words) -> task<void> {
                  CHECK(words.empty());
                  words.set_server_message("new");
                  co_return errc::denied;
                });
    context.run();
    CHECK(why.client_message().empty());
    CHECK(why.server_message() == "new");
  }

  TEST_CASE(
      "the handler is never called before spawn has returned, not on the executor's own thread either") {
    asio::io_context context;
    bool returned = false;
    bool after = false;
    asio::post(context, [&] {
      spawn<void>(context.get_executor(), nullptr,
                  completion_handler<void>([&](error_code) { after = returned; }),
                  [](diagnostics&) -> task<void> { co_return result<void>(); });
      returned = true;
    });
    context.run();
    CHECK(after);
  }

  TEST_CASE("every type of cancellation stops what the body waits for") {
    for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
      for (const bool at_once : {true, false}) {
        asio::io_context context;
        asio::cancellation_signal stop;
        ended seen;
        spawn<int>(context.get_executor(), nullptr,
                   completion_handler<int>(asio::bind_cancellation_slot(stop.slot(), seen.handler())),
                   [&](diagnostics&) { return forever(context); });
        if (!at_once) context.poll();
        CHECK(seen.completions == 0);
        stop.emit(type);
        context.restart();
        context.run();
        CHECK(seen.completions == 1);
        CHECK(seen.code == condition::cancelled);
        stop.emit(type);
        context.restart();
        context.run();
        CHECK(seen.completions == 1);
      }
    }
  }

  TEST_CASE("a body that does not wait may look whether it was told to stop") {
    asio::io_context context;
    asio::cancellation_signal stop;
    ended seen;
    spawn<int>(context.get_executor(), nullptr,
               completion_handler<int>(asio::bind_cancellation_slot(stop.slot(), seen.handler())),
               [&](diagnostics&) -> task<int> {
                 CHECK_FALSE(co_await is_cancelled());
                 stop.emit(asio::cancellation_type::total);
                 CHECK(co_await is_cancelled());
                 co_return aborted();
               });
    context.run();
    CHECK(seen.code == condition::cancelled);
  }

  TEST_CASE("the handler runs on its own executor, which has work until then") {
    asio::io_context context;
    asio::io_context other;
    ended seen;
    asio::steady_timer timer(context, 5ms);
    spawn<int>(context.get_executor(), nullptr,
               completion_handler<int>(asio::bind_executor(other, seen.handler())),
               [&](diagnostics&) -> task<int> {
                 co_await timer.async_wait(no_throw);
                 co_return 1;
               });
    other.poll();
    CHECK_FALSE(other.stopped());
    context.run();
    CHECK(seen.completions == 0);
    other.run();
    CHECK(seen.completions == 1);
    CHECK(seen.value == 1);
  }

  TEST_CASE("with its loop the operation goes, uncalled, and its handler with it") {
    ended seen;
    auto witness = std::make_shared<int>(1);
    {
      asio::io_context context;
      spawn<int>(context.get_executor(), nullptr,
                 completion_handler<int>(
                     [&seen, witness](error_code code, int number) { seen.handler()(code, number); }),
                 [&context, witness](diagnostics&) { return forever(context); });
      context.poll();
      CHECK(witness.use_count() > 2);
    }
    CHECK(seen.completions == 0);
    CHECK(witness.use_count() == 1);
  }
}

}  // namespace dockline
