#include "dockline/engine/client.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/compact_strand.hpp"
#include "core/pending.hpp"
#include "engine/client_state.hpp"
#include "http/watchdog.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace dockline::engine {
namespace {

// An answer that is not a stream. The largest are lists; the engine's own clients hold them whole as well.
constexpr std::size_t longest_answer = std::size_t{64} << 20;
// Words of an error.
constexpr std::size_t longest_refusal = std::size_t{1} << 20;

// The user's fields, where they are neither ours nor HTTP's own.
void add_headers(const std::map<std::string, std::string>& headers, std::vector<http::header_field>& fields) {
  constexpr std::array<std::string_view, 9> framing = {"Connection", "Content-Length",    "Expect",
                                                       "Host",       "Keep-Alive",        "TE",
                                                       "Trailer",    "Transfer-Encoding", "Upgrade"};
  const std::size_t own = fields.size();
  for (const auto& [name, value] : headers) {
    const auto is_that = [&name = name](std::string_view other) {
      return boost::beast::iequals(other, name);
    };
    const bool taken = std::ranges::any_of(framing, is_that) ||
                       std::any_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(own),
                                   [&](const auto& field) { return is_that(field.name); });
    if (!taken) fields.push_back({name, value});
  }
}

// One connection by a connector of the caller's.
task<std::unique_ptr<stream>> connect_by(asio::any_io_executor executor, connector connect,
                                         std::chrono::milliseconds deadline, diagnostics& why) {
  auto connecting = pending<std::unique_ptr<stream>>::start(executor, nullptr, [&](connect_handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    // A connector that calls the handler wherever it happens to be is brought back to the strand.
    auto back = [executor, handler = std::move(handler)](error_code code,
                                                         std::unique_ptr<stream> made) mutable {
      asio::dispatch(executor, [handler = std::move(handler), code, made = std::move(made)]() mutable {
        std::move(handler)(code, std::move(made));
      });
    };
    connect(
        connect_handler(asio::bind_cancellation_slot(slot, asio::bind_executor(executor, std::move(back)))));
  });
  http::watchdog guard(executor);
  guard.arm(deadline, [&connecting] { connecting.cancel(); });
  auto made = co_await connecting.get();
  if (co_await is_cancelled()) co_return aborted();
  if (made && *made) co_return made;
  if (guard.expired()) {
    why.set_client_message("cannot connect to the daemon: no connection in " +
                           std::to_string(deadline.count()) + " ms");
    co_return errc::timed_out;
  }
  why.set_client_message("cannot connect to the daemon: " +
                         (made ? "no stream was given" : made.error().message()));
  co_return errc::cannot_connect;
}

}  // namespace

client_options client_options_from_environment() {
  client_options options;
  if (const char* host = std::getenv("DOCKER_HOST"); host != nullptr && *host != '\0') options.host = host;
  return options;
}

client::client(asio::any_io_executor executor, client_options options)
    : client(std::move(executor), nullptr, std::move(options)) {}

client::client(asio::any_io_executor executor, connector connect, client_options options)
    : state_(std::make_shared<client_state>(std::move(executor), std::move(connect), std::move(options))) {}

asio::any_io_executor client::get_executor() const { return state_->executor; }

client_state::client_state(asio::any_io_executor own_executor, connector own_connect, client_options own)
    : options(std::move(own)),
      connect(std::move(own_connect)),
      executor(std::move(own_executor)),
      strand(make_compact_strand(executor)) {}

result<http::dialer> client_state::find_way(diagnostics& why) {
  if (connect) {
    return http::dialer(
        [where = strand, how = connect](std::chrono::milliseconds deadline, diagnostics& words) {
          return connect_by(where, how, deadline, words);
        });
  }
  const auto where = http::parse_address(options.host, why);
  if (!where) return where.error();
  authority = http::authority_of(*where, options.tls.enabled);
  return http::make_dialer(strand, *where, options.tls, why);
}

task<answer> client_state::ping(diagnostics& why) {
  endpoint what("GET", "/_ping");
  what.versioned = false;
  auto pong = co_await call(std::move(what), why);
  co_return pong;
}

void client_state::watch(http::request& made) {
  made.observer = options.on_exchange;
  made.number = ++exchanges;
}

task<std::unique_ptr<http::exchange>> client_state::send(endpoint what, sent_sink on_sent, diagnostics& why) {
  if (!connections) {
    auto way = find_way(why);
    if (!way) co_return way.error();
    connections.emplace(strand, std::move(*way));
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
  if (!authority.empty()) request.head.fields.insert(request.head.fields.begin(), {"Host", authority});
  add_headers(options.headers, request.head.fields);
  watch(request);
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

task<std::unique_ptr<http::exchange>> client_state::open_once(endpoint what, sent_sink on_sent,
                                                              diagnostics& why) {
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

task<std::unique_ptr<http::exchange>> client_state::open(endpoint what, sent_sink on_sent, diagnostics& why) {
  if (!what.versioned) {
    auto over = co_await open_once(std::move(what), std::move(on_sent), why);
    co_return over;
  }
  endpoint again = what;
  auto over = co_await open_once(std::move(what), std::move(on_sent), why);
  if (over) co_return over;
  auto changed = renegotiate(over.error(), why);
  if (!changed) co_return changed.error();
  // The bytes of a source are gone. The next operation starts with the right version.
  if (!*changed || again.source) co_return over;
  why.clear();
  if (auto has = require_version(*version, again.needs, again.needs_for, why); !has) co_return has.error();
  auto repeated = co_await open_once(std::move(again), nullptr, why);
  co_return repeated;
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
