// One request and its answer by a script, every step of which is then made to fail.

#include "http/exchange.hpp"

#include "dockline/core/diagnostics.hpp"

#include "support/scripted_source.hpp"
#include "support/scripted_stream.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace dockline::http {
namespace {

using test::scripted_source;
using test::scripted_stream;

const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";

struct ended {
  error_code code;
  diagnostics why;
  std::string body;
  bool kept = false;
  bool source_free = false;
};

// A POST with a streamed body of `size` bytes.
ended talk(const std::shared_ptr<scripted_stream::script>& script, std::uint64_t size) {
  asio::io_context context;
  ended seen;
  auto source = std::make_shared<scripted_source>(context.get_executor(), size);
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        exchange over(context.get_executor(),
                      std::make_unique<scripted_stream>(context.get_executor(), script), deadlines());
        request what;
        what.head.method = "POST";
        what.source = source;
        auto started = co_await over.start(std::move(what), seen.why);
        if (!started) {
          seen.code = started.error();
          co_return;
        }
        auto all = co_await over.read_all(100, seen.why);
        if (all) {
          seen.body = *all;
        } else {
          seen.code = all.error();
        }
        seen.kept = over.release() != nullptr;
      },
      [](std::exception_ptr failure) { CHECK_FALSE(failure); });
  context.run();
  seen.source_free = source.use_count() == 1;
  return seen;
}

std::shared_ptr<scripted_stream::script> script_of(const std::string& bytes, std::size_t piece) {
  auto script = std::make_shared<scripted_stream::script>();
  for (std::size_t i = 0; i < bytes.size(); i += piece) script->answers.push_back(bytes.substr(i, piece));
  return script;
}

}  // namespace

TEST_SUITE("http/exchange") {
  TEST_CASE("a body in chunks, an answer in pieces, writes that take what they like") {
    for (const std::size_t largest : {std::size_t{1}, std::size_t{3}, std::size_t{1} << 20}) {
      auto script = script_of(answer, 5);
      script->largest_write = largest;
      const ended seen = talk(script, 10);
      CHECK(seen.code == error_code());
      CHECK(seen.body == "body");
      CHECK(seen.source_free);
      if (seen.kept) {
        CHECK(script->written ==
              "POST / HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n"
              "a\r\nxxxxxxxxxx\r\n0\r\n\r\n");
      }
      CHECK(script->waiting == 0);
    }
  }

  TEST_CASE("every operation that fails ends the exchange with an error, unless the answer was complete") {
    auto whole = script_of(answer, 7);
    const ended good = talk(whole, 600'000);
    REQUIRE(good.code == error_code());
    REQUIRE(whole->operations > 8);
    for (const error_code failure : {error_code(asio::error::connection_reset), error_code(asio::error::eof),
                                     error_code(asio::error::broken_pipe)}) {
      int failed = 0;
      for (int at = 0; at < whole->operations; ++at) {
        CAPTURE(at);
        auto script = script_of(answer, 7);
        script->fail_at = at;
        script->failure = failure;
        const ended seen = talk(script, 600'000);
        if (seen.code) {
          ++failed;
          CHECK(seen.code == errc::connection_lost);
          CHECK(seen.body.empty());
          CHECK_FALSE(seen.why.client_message().empty());
        } else {
          // A write that failed: the daemon's answer counts.
          CHECK(seen.body == "body");
          CHECK_FALSE(seen.kept);
        }
        CHECK(seen.source_free);
        CHECK(script->waiting == 0);
      }
      CHECK(failed >= 6);
    }
  }

  TEST_CASE("an answer that is longer than one is willing to hold") {
    const ended seen = talk(script_of("HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x'), 50), 0);
    CHECK(seen.code == errc::message_too_long);
    CHECK(seen.why.client_message() == "an answer of more than 100 bytes");
  }

  TEST_CASE("bytes behind the answer: the connection serves nobody else") {
    const ended seen = talk(script_of(answer + "more", 1000), 0);
    CHECK(seen.code == error_code());
    CHECK_FALSE(seen.kept);
  }
}

}  // namespace dockline::http
