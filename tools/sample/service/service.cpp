#include "service.hpp"

#include <dockline/containerize/containerize.hpp>
#include <dockline/progress/json_renderer.hpp>

#include "build_request.hpp"
#include "event_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <utility>

namespace sample {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace containerize = dockline::containerize;
using namespace asio::experimental::awaitable_operators;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds longest_request(30);
constexpr std::uint64_t longest_body = 64 * 1024;

using request = http::request<http::string_body>;

asio::awaitable<void> answer(beast::tcp_stream& client, http::status status, std::string json) {
  http::response<http::string_body> made(status, 11, std::move(json) + "\n");
  made.set(http::field::content_type, "application/json");
  made.keep_alive(false);
  made.prepare_payload();
  client.expires_after(longest_request);
  co_await http::async_write(client, made, no_throw);
}

// Builds, and tells the client how it went. To be cancelled, which ends the build on the daemon.
asio::awaitable<void> build(std::shared_ptr<service> shared, containerize::containerize_options options,
                            std::shared_ptr<event_stream> events) {
  dockline::progress::event_sink on_event = [events](const dockline::progress::event& what) {
    events->send("progress", dockline::progress::to_json(what));
  };
  // A service says itself what its builds are like: nothing is read from the environment of this process.
  containerize::containerize_environment environment;
  dockline::diagnostics why;
  auto [code, image] = co_await containerize::async_containerize(
      shared->builder, std::move(options), std::move(environment), std::move(on_event), why, no_throw);
  if (code == dockline::condition::cancelled) co_return;
  if (code) {
    events->send("failed", json_object("message", dockline::describe(code, why)));
  } else {
    events->send("done", json_object("image", image.image_uri));
  }
}

// The library itself sees to it that the entry point lies in the tree. What else a client may name of this
// machine's files is a service's own business; the disk is asked where it may take its time.
asio::awaitable<bool> may_read(std::shared_ptr<service> shared, std::string path) {
  auto look = [shared, path = std::move(path)]() -> asio::awaitable<bool> {
    co_return stays_below(shared->root, path);
  };
  const auto [failure, inside] = co_await asio::co_spawn(shared->work, std::move(look), no_throw);
  co_return !failure && inside;
}

// Counts a build for as long as it lives.
class build_ticket {
 public:
  explicit build_ticket(std::shared_ptr<service> shared) : shared_(std::move(shared)) { ++shared_->builds; }
  build_ticket(const build_ticket&) = delete;
  build_ticket& operator=(const build_ticket&) = delete;
  ~build_ticket() { --shared_->builds; }

 private:
  std::shared_ptr<service> shared_;
};

asio::awaitable<void> build_for_client(std::shared_ptr<service> shared, beast::tcp_stream& client,
                                       std::string body) {
  dockline::diagnostics why;
  auto options = read_build_request(body, shared->root, why);
  if (!options) {
    co_await answer(client, http::status::bad_request, json_object("message", why.client_message()));
    co_return;
  }
  if (const std::string& named = options->requirements; !named.empty() && !co_await may_read(shared, named)) {
    co_await answer(
        client, http::status::bad_request,
        json_object("message", "requirements \"" + named + "\": lies outside the root of this service"));
    co_return;
  }
  if (shared->builds >= shared->most_builds) {
    co_await answer(client, http::status::service_unavailable, json_object("message", "too many builds run"));
    co_return;
  }
  const build_ticket ticket(shared);
  options->work = shared->work;
  // A build may be silent for as long as it likes.
  client.expires_never();
  auto events = std::make_shared<event_stream>(client.socket());
  events->send("started", "{}");
  // Whichever is over first cancels the other one, and both are over before this goes on.
  co_await (build(shared, std::move(*options), events) || events->wait_for_leaving());
  co_await events->finish();
}

asio::awaitable<void> serve_client(std::shared_ptr<service> shared, asio::ip::tcp::socket socket) {
  beast::tcp_stream client(std::move(socket));
  beast::flat_buffer buffer;
  http::request_parser<http::string_body> parser;
  parser.body_limit(longest_body);
  client.expires_after(longest_request);
  const auto [code, size] = co_await http::async_read(client, buffer, parser, no_throw);
  if (code) co_return;
  request what = parser.release();
  if (what.target() == "/health" && what.method() == http::verb::get) {
    co_await answer(client, http::status::ok, "{\"builds\":" + std::to_string(shared->builds) + "}");
  } else if (what.target() == "/images" && what.method() == http::verb::post) {
    co_await build_for_client(shared, client, std::move(what.body()));
  } else {
    co_await answer(client, http::status::not_found,
                    json_object("message", "there is GET /health, and POST /images"));
  }
  boost::system::error_code ignored;
  client.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

}  // namespace

asio::awaitable<void> serve(std::shared_ptr<service> shared, asio::ip::tcp::acceptor acceptor) {
  for (;;) {
    auto [code, socket] = co_await acceptor.async_accept(no_throw);
    if (code == asio::error::operation_aborted) co_return;
    if (code) continue;
    asio::co_spawn(acceptor.get_executor(), serve_client(shared, std::move(socket)), asio::detached);
  }
}

}  // namespace sample
