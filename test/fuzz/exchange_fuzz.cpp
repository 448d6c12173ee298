// Whatever is answered, and however it is cut, an exchange comes to its end: with an answer, which is the same
// one then, or with an error that has words. Nothing is left under way, and nothing is held beyond the limits.
// The first byte says what is asked, and which operation on the connection fails.

#include "dockline/core/diagnostics.hpp"

#include "http/exchange.hpp"
#include "support/scripted_source.hpp"
#include "support/scripted_stream.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace dockline;
using script = test::scripted_stream::script;

constexpr std::size_t longest_body = 1000;

void require(bool truth) {
  if (!truth) std::abort();
}

struct outcome {
  int completions = 0;
  error_code code;
  diagnostics why;
  int status = 0;
  std::string body;
};

asio::awaitable<void> talk(asio::any_io_executor executor, std::shared_ptr<script> wire, http::request what,
                           outcome& seen) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const http::deadlines none;
  http::exchange over(executor, std::make_unique<test::scripted_stream>(executor, wire), none);
  auto started = co_await over.start(std::move(what), seen.why);
  ++seen.completions;
  if (!started) {
    seen.code = started.error();
    co_return;
  }
  seen.status = over.head().status;
  if (seen.status == 101) {
    auto connection = co_await over.upgrade(seen.body);
    require(connection != nullptr);
    co_return;
  }
  auto all = co_await over.read_all(longest_body, seen.why);
  if (!all) {
    seen.code = all.error();
    co_return;
  }
  seen.body = std::move(*all);
  require(over.done() && seen.body.size() <= longest_body);
  (void)over.release();
}

outcome exchange(std::uint8_t how, std::string_view answer, std::size_t piece) {
  asio::io_context context(1);
  auto wire = std::make_shared<script>();
  for (std::size_t at = 0; at < answer.size(); at += piece)
    wire->answers.emplace_back(answer.substr(at, piece));
  if (how & 1) wire->largest_write = 7;
  wire->fail_at = (how >> 3) - 1;
  wire->failure = asio::error::connection_reset;
  http::request what;
  if (how & 2) {
    what.head.method = "POST";
    what.source = std::make_shared<test::scripted_source>(context.get_executor(), 100);
  } else if (how & 4) {
    what.head.method = "HEAD";
  }
  outcome seen;
  asio::co_spawn(context, talk(context.get_executor(), wire, std::move(what), seen),
                 [](std::exception_ptr failure) { require(!failure); });
  context.run();
  require(seen.completions == 1 && wire->waiting == 0);
  require(!seen.code || !seen.why.empty());
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t how = data[0];
  const std::string_view answer(reinterpret_cast<const char*>(data) + 1, size - 1);
  const outcome whole = exchange(how, answer, answer.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, std::size_t{300}}) {
    const outcome seen = exchange(how, answer, piece);
    // In pieces it takes more operations, and another one is the one that fails; behind a 101 comes whatever
    // was read with it.
    if ((how >> 3) != 0 || whole.status == 101) continue;
    require(static_cast<bool>(seen.code) == static_cast<bool>(whole.code));
    if (!whole.code) require(seen.status == whole.status && seen.body == whole.body);
  }
  return 0;
}
