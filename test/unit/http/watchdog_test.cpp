#include "http/watchdog.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <optional>

namespace dockline::http {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_SUITE("http/watchdog") {
  TEST_CASE("it fires once, and remembers") {
    boost::asio::io_context context;
    watchdog guard(context.get_executor());
    int fired = 0;
    guard.arm(1ms, [&] { ++fired; });
    CHECK_FALSE(guard.expired());
    context.run();
    CHECK(fired == 1);
    CHECK(guard.expired());
    guard.disarm();
    CHECK(guard.expired());
  }

  TEST_CASE("zero is no deadline, and takes back the one before") {
    boost::asio::io_context context;
    watchdog guard(context.get_executor());
    int fired = 0;
    guard.arm(1ms, [&] { ++fired; });
    guard.arm(0ms, [&] { ++fired; });
    context.run();
    CHECK(fired == 0);
    CHECK_FALSE(guard.expired());
  }

  TEST_CASE("armed anew, only the new deadline counts") {
    boost::asio::io_context context;
    watchdog guard(context.get_executor());
    int first = 0;
    int second = 0;
    guard.arm(1h, [&] { ++first; });
    guard.arm(1ms, [&] { ++second; });
    context.run();
    CHECK(first == 0);
    CHECK(second == 1);
  }

  TEST_CASE("a deadline that has passed, but whose turn did not come, can still be met") {
    boost::asio::io_context context;
    watchdog guard(context.get_executor());
    int fired = 0;
    guard.arm(1ms, [&] { ++fired; });
    const auto later = std::chrono::steady_clock::now() + 5ms;
    boost::asio::post(context, [&] {
      while (std::chrono::steady_clock::now() < later) {
      }
      boost::asio::post(context, [&] { guard.disarm(); });
    });
    context.run();
    CHECK(fired == (guard.expired() ? 1 : 0));
  }

  TEST_CASE("gone with its owner") {
    boost::asio::io_context context;
    int fired = 0;
    std::optional<watchdog> guard(context.get_executor());
    guard->arm(1h, [&] { ++fired; });
    guard.reset();
    context.run();
    CHECK(fired == 0);
  }

  TEST_CASE("what it does may end it") {
    boost::asio::io_context context;
    std::optional<watchdog> guard(context.get_executor());
    guard->arm(1ms, [&] { guard.reset(); });
    context.run();
    CHECK_FALSE(guard.has_value());
  }
}

}  // namespace dockline::http
