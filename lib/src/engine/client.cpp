#include "dockline/engine/client.hpp"

#include "dockline/core/diagnostics.hpp"

#include "engine/client_state.hpp"

#include <boost/asio/strand.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace dockline::engine {
namespace {

// An answer that is not a stream. The largest are lists; the engine's own clients hold them whole as well.
constexpr std::size_t longest_answer = std::size_t{64} << 20;
// Words of an error.
constexpr std::size_t longest_refusal = std::size_t{1} << 20;

}  // namespace

client_options client_options_from_environment() {
  client_options options;
  if (const char* host = std::getenv("DOCKER_HOST"); host != nullptr && *host != '\0') options.host = host;
  return options;
}

client::client(asio::any_io_executor executor, client_options options)
    : state_(std::make_shared<client_state>(std::move(executor), std::move(options))) {}

asio::any_io_executor client::get_executor() const { return state_->executor; }

client_state::client_state(asio::any_io_executor own_executor, client_options own)
    : options(std::move(own)), executor(std::move(own_executor)), strand(asio::make_strand(executor)) {}

result<api_version> client_state::settle(std::string_view offered, diagnostics& why) {
  if (version) return *version;
  if (!options.api_version.empty()) {
    version = parse_api_version(options.api_version);
    if (version) return *version;
    why.set_client_message("API version \"" + options.api_version + "\": not of the form 1.41");
    return errc::invalid_argument;
  }
  // A daemon from before 1.25 does not say; what it speaks is then the oldest that this library does.
  const auto theirs = parse_api_version(offered).value_or(oldest_api);
  if (theirs < oldest_api) {
    why.set_client_message("the daemon speaks API " + to_string(theirs) + ", this library " +
                           to_string(oldest_api) + " and newer");
    return errc::version_too_old;
  }
  version = std::min(theirs, newest_api);
  return *version;
}

task<answer> client_state::ping(diagnostics& why) {
  endpoint what("GET", "/_ping");
  what.versioned = false;
  auto pong = co_await call(std::move(what), why);
  co_return pong;
}

task<api_version> client_state::negotiate(diagnostics& why) {
  if (version || !options.api_version.empty()) co_return settle({}, why);
  auto pong = co_await ping(why);
  if (!pong) co_return pong.error();
  co_return settle(pong->head.find("Api-Version"), why);
}

task<std::unique_ptr<http::exchange>> client_state::send(endpoint what, sent_sink on_sent, diagnostics& why) {
  if (!connections) {
    auto where = http::parse_address(options.host, why);
    if (!where) co_return where.error();
    connections.emplace(strand, std::move(*where));
  }
  api_version speak = oldest_api;
  if (what.versioned) {
    auto negotiated = co_await negotiate(why);
    if (!negotiated) co_return negotiated.error();
    speak = *negotiated;
  }
  http::deadlines limits;
  limits.connect = options.connect_timeout;
  if (!what.silent) {
    limits.head = options.answer_timeout;
    limits.idle = options.idle_timeout;
  }
  http::request request;
  request.head = what.head(speak, options.user_agent);
  request.body = std::move(what.body);
  request.source = std::move(what.source);
  request.on_sent = std::move(on_sent);
  auto started = co_await connections->start(std::move(request), limits, why);
  if (!started && !options.hint.empty() &&
      (started.error() == errc::cannot_connect || started.error() == errc::no_permission)) {
    why.set_client_message(why.client_message() + " (" + options.hint + ")");
  }
  co_return started;
}

asio::awaitable<error_code> client_state::refusal(http::exchange& over, diagnostics& why) {
  const int status = over.head().status;
  std::string body;
  while (body.size() <= longest_refusal) {
    auto some = co_await over.read_some(why);
    if (!some && some.error() == condition::cancelled) co_return some.error();
    // A daemon that refuses early resets the connection behind its words. The status alone says enough when
    // they do not arrive.
    if (!some && !body.empty()) why.clear();
    if (!some || some->empty()) break;
    body += *some;
  }
  const error_code code = code_of_status(status, body, why);
  connections->give_back(over);
  co_return code;
}

task<std::unique_ptr<http::exchange>> client_state::open(endpoint what, sent_sink on_sent, diagnostics& why) {
  const bool upgrade =
      std::ranges::find(what.fields, "Upgrade", &http::header_field::name) != what.fields.end();
  auto over = co_await send(std::move(what), std::move(on_sent), why);
  if (!over) co_return over.error();
  const int status = (*over)->head().status;
  // 304 is what a container that runs already answers its start with.
  if (status / 100 != 2 && status != 304 && !(status == 101 && upgrade)) {
    const error_code code = co_await refusal(**over, why);
    co_return code;
  }
  co_return std::move(over);
}

task<answer> client_state::call(endpoint what, diagnostics& why) {
  auto over = co_await open(std::move(what), nullptr, why);
  if (!over) co_return over.error();
  answer whole;
  whole.head = (*over)->head();
  auto body = co_await (*over)->read_all(longest_answer, why);
  if (!body) co_return body.error();
  whole.body = std::move(*body);
  connections->give_back(**over);
  co_return whole;
}

}  // namespace dockline::engine
