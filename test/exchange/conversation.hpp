#pragma once

// One operation of the library against a fake daemon, run to its completion.

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/system.hpp"

#include "support/fake_daemon.hpp"
#include "support/scripted_source.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

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

// How soon a cancelled operation is over. Sanitizers slow everything down.
#if defined(__SANITIZE_ADDRESS__)
#define DOCKLINE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DOCKLINE_TEST_SANITIZED 1
#endif
#endif
#ifdef DOCKLINE_TEST_SANITIZED
inline constexpr std::chrono::milliseconds prompt{500};
#else
inline constexpr std::chrono::milliseconds prompt{50};
#endif

// What daemon a test talks to, and with what deadlines. The version is given, so that no ping is sent.
inline engine::client_options options_for(const std::string& host) {
  engine::client_options options;
  options.host = host;
  options.api_version = "1.41";
  return options;
}

// An event loop, a client on it, and the signal that cancels.
class conversation {
 public:
  explicit conversation(engine::client_options options)
      : daemon(context.get_executor(), std::move(options)) {}
  explicit conversation(const fake_daemon& other) : conversation(options_for(other.host())) {}

  asio::io_context context;
  asio::cancellation_signal cancel;
  engine::client daemon;

  // `start` is called with diagnostics and a token. The operation's end is waited for, not more than ten
  // seconds, and after it everything else that the loop has to do.
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

  void run() {
    context.restart();
    context.run_for(patience);
    CHECK(context.stopped());
  }

  template <class T, class Start>
  outcome<T> operation(Start start) {
    auto seen = begin<T>(std::move(start));
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }

  auto begin_build(std::shared_ptr<byte_source> source, progress::event_sink sink = {}) {
    return begin<engine::built_image>([&](diagnostics& why, auto token) {
      engine::async_build(daemon, std::move(source), engine::build_options(), std::move(sink), why,
                          std::move(token));
    });
  }
  outcome<engine::built_image> build(std::shared_ptr<byte_source> source, progress::event_sink sink = {}) {
    auto seen = begin_build(std::move(source), std::move(sink));
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }
  outcome<engine::built_image> build(std::uint64_t size = 1000) {
    return build(std::make_shared<scripted_source>(context.get_executor(), size));
  }

  auto begin_version() {
    return begin<engine::version_result>(
        [&](diagnostics& why, auto token) { engine::async_version(daemon, why, std::move(token)); });
  }
  outcome<engine::version_result> version() {
    auto seen = begin_version();
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }
};

inline const std::string image_id = "sha256:" + std::string(64, 'a');
inline const std::string built = "{\"aux\":{\"ID\":\"" + image_id + "\"}}\r\n";
inline const std::string version_answer = json_answer(R"({"Version":"1.2.3","ApiVersion":"1.41"})");

}  // namespace dockline::test
