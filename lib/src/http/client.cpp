#include "http/client.hpp"

#include <utility>

namespace dockline::http {
namespace {

// More than this many at once is a burst; its connections are not worth keeping.
constexpr std::size_t most_idle = 8;

// What may be asked twice. Go's client, and with it docker's, has the same list.
bool changes_nothing(const std::string& method) { return method == "GET" || method == "HEAD"; }

}  // namespace

client::client(asio::any_io_executor executor, dialer dial, std::string peer)
    : executor_(std::move(executor)), dial_(std::move(dial)), peer_(std::move(peer)) {}

task<std::unique_ptr<exchange>> client::start(request what, deadlines limits, diagnostics& why) {
  while (!what.source && !idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    // Closed meanwhile; or it has bytes that answer no request of ours.
    if (!connection->quiet()) continue;
    auto attempt = std::make_unique<exchange>(executor_, std::move(connection), limits, peer_);
    auto started = co_await attempt->start(what, why);
    if (started) co_return std::move(attempt);
    // A request that did go out, and was not answered, may have been carried out all the same.
    const bool stale = started.error() == errc::connection_lost && !attempt->got_some() &&
                       (changes_nothing(what.head.method) || !attempt->sent_some());
    if (!stale) co_return started.error();
    why.clear();
  }
  auto connection = co_await dial_(limits.connect, why);
  if (!connection) co_return connection.error();
  auto attempt = std::make_unique<exchange>(executor_, std::move(*connection), limits, peer_);
  auto started = co_await attempt->start(std::move(what), why);
  if (!started) co_return started.error();
  co_return std::move(attempt);
}

void client::give_back(exchange& over) {
  auto connection = over.release();
  if (connection && idle_.size() < most_idle) idle_.push_back(std::move(connection));
}

}  // namespace dockline::http
