#include "service.hpp"

#include "answer.hpp"
#include "image_build.hpp"
#include "json.hpp"
#include "no_throw.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace sample {
namespace {

// What to reply; nothing where the answer was a build's events.
asio::awaitable<std::optional<reply>> respond(std::shared_ptr<service> shared, beast::tcp_stream& client,
                                              request& what) {
  const std::string_view target(what.target().data(), what.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/health") {
    if (what.method() != http::verb::get && what.method() != http::verb::head)
      co_return wrong_method("GET, HEAD");
    co_return reply(http::status::ok, health_json(shared->builds));
  }
  if (path == "/images") {
    if (what.method() != http::verb::post) co_return wrong_method("POST");
    co_return co_await build_for_client(shared, client, std::move(what.body()));
  }
  co_return refusal(http::status::not_found, "there is GET /health, and POST /images");
}

asio::awaitable<void> serve_client(std::shared_ptr<service> shared, asio::ip::tcp::socket socket) {
  beast::tcp_stream client(std::move(socket));
  auto what = co_await read_request(client);
  if (!what) {
    if (auto refused = reply_to_unreadable(what.error()))
      co_await answer(client, http::verb::unknown, std::move(*refused));
    co_return;
  }
  if (auto made = co_await respond(std::move(shared), client, *what))
    co_await answer(client, what->method(), std::move(*made));
}

}  // namespace

asio::awaitable<void> serve(std::shared_ptr<service> shared, asio::ip::tcp::acceptor acceptor) {
  asio::steady_timer pause(acceptor.get_executor());
  for (;;) {
    auto [code, socket] = co_await acceptor.async_accept(no_throw);
    if (code == asio::error::operation_aborted) co_return;
    if (code) {
      // No more descriptors, say. The client still waits to be accepted, so this would fail again at once.
      pause.expires_after(std::chrono::milliseconds(100));
      const auto [stopped] = co_await pause.async_wait(no_throw);
      if (stopped) co_return;
      continue;
    }
    asio::co_spawn(acceptor.get_executor(), serve_client(shared, std::move(socket)), asio::detached);
  }
}

}  // namespace sample
