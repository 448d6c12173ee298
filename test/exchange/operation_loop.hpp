#pragma once

// An operation of the library, run on a loop of its own to its completion.

#include "dockline/core/diagnostics.hpp"

#include "support/fake_daemon.hpp"
#include "support/sanitized.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace dockline::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Of an image that is pushed, in daemons' scripts.
inline const std::string image_digest = "sha256:" + std::string(64, 'd');

// Until a daemon's script is at its gate.
inline void run_until(asio::io_context& context, gate& there) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!there.wait(0ms) && std::chrono::steady_clock::now() < end) context.run_for(1ms);
  // What the daemon sent is on its way to the operation.
  context.run_for(5ms);
}

// How an operation ended; how often is counted.
template <class T>
struct outcome {
  outcome() = default;

  int completions = 0;
  error_code code;
  diagnostics why;
  T value{};

  std::string words() const { return describe(code, why); }
};

struct nothing {};

// How soon a cancelled operation is over, and how much resident memory a byte takes.
inline constexpr std::chrono::milliseconds prompt{is_sanitized ? 500 : 50};
inline constexpr std::size_t resident_for_each = is_sanitized ? 4 : 1;

// An event loop, and the signal that cancels what runs on it. What a test makes on the loop stands in a class
// derived from this one, so that it goes before the loop.
class operation_loop {
 public:
  asio::io_context context;
  asio::cancellation_signal cancel;

  // `start` is called with diagnostics and a token.
  template <class T, class Start>
  std::shared_ptr<outcome<T>> begin(Start start) {
    auto seen = std::make_shared<outcome<T>>();
    start(seen->why,
          asio::bind_cancellation_slot(cancel.slot(), [seen](error_code code, auto... value) mutable {
            ++seen->completions;
            seen->code = code;
            if constexpr (sizeof...(value) > 0) seen->value = (std::move(value), ...);
          }));
    CHECK(seen->completions == 0);
    context.restart();
    return seen;
  }

  // Until the loop has nothing more to do, which is what an operation's end leaves.
  void run(std::chrono::seconds longest = patience) {
    context.restart();
    context.run_for(longest);
    CHECK(context.stopped());
  }

  // Until `there` says so, or for as long as a test waits.
  template <class Predicate>
  void run_until_it(Predicate there) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!there() && std::chrono::steady_clock::now() < end) context.run_for(5ms);
  }

  template <class T>
  outcome<T> end_of(const std::shared_ptr<outcome<T>>& seen, std::chrono::seconds longest = patience) {
    run(longest);
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }

  template <class T, class Start>
  outcome<T> operation(Start start, std::chrono::seconds longest = patience) {
    return end_of(begin<T>(std::move(start)), longest);
  }
};

}  // namespace dockline::test
