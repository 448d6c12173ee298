#include "http/origins.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "http/tls_stream.hpp"
#include "http/watchdog.hpp"

#include <algorithm>
#include <utility>

namespace dockline::http {
namespace {

address address_of(const url& where) {
  address there;
  there.over = transport::tcp;
  there.host = where.host;
  there.port = where.port;
  return there;
}

// One connection to a service, by a proxy or without. All of its parts share one deadline.
class way {
 public:
  way(asio::any_io_executor executor, url where, std::optional<url> proxy,
      std::shared_ptr<const tls_context> context)
      : executor_(std::move(executor)),
        where_(std::move(where)),
        proxy_(std::move(proxy)),
        context_(std::move(context)) {}

  // An object of its own for each: it is kept by whoever calls, and may be gone before.
  static task<std::unique_ptr<stream>> go(way self, std::chrono::milliseconds deadline, diagnostics& why) {
    const auto began = std::chrono::steady_clock::now();
    const url& first = self.proxy_ ? *self.proxy_ : self.where_;
    const std::string called = self.proxy_ ? "the proxy " + first.origin() : first.origin();
    const auto left = [&] {
      if (deadline.count() <= 0) return deadline;
      const auto spent =
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
      return std::max(deadline - spent, std::chrono::milliseconds(1));
    };
    auto connection = co_await dial_tcp(self.executor_, address_of(first), deadline, why, called);
    if (!connection) co_return connection.error();
    if (first.secure) {
      auto secured = co_await self.secured(std::move(*connection), first, called, left(), why);
      if (!secured || !self.proxy_) co_return secured;
      connection = std::move(secured);
    }
    if (!self.proxy_ || !self.where_.secure) co_return std::move(connection);
    auto through =
        co_await tunnel(std::move(*connection), self.executor_, self.where_, *self.proxy_, left(), why);
    if (!through) co_return through.error();
    const std::string target = self.where_.origin();
    auto end = co_await self.secured(std::move(*through), self.where_, target, left(), why);
    co_return end;
  }

 private:
  task<std::unique_ptr<stream>> secured(std::unique_ptr<stream> connection, const url& there,
                                        const std::string& called, std::chrono::milliseconds deadline,
                                        diagnostics& why) {
    watchdog guard(executor_);
    stream* const below = connection.get();
    guard.arm(deadline, [below] { below->close(); });
    auto made = co_await secure(std::move(connection), executor_, context_, there.host, why);
    if (made) co_return made;
    if (guard.expired()) co_return too_late(address_of(there), deadline, why, called);
    if (made.error() == condition::cancelled) co_return made.error();
    why.set_client_message("cannot connect to " + called + ": " + why.client_message());
    const bool refused = made.error() == errc::tls_failed;
    co_return refused ? errc::tls_failed : errc::cannot_connect;
  }

  asio::any_io_executor executor_;
  url where_;
  std::optional<url> proxy_;
  std::shared_ptr<const tls_context> context_;
};

}  // namespace

origins::origins(asio::any_io_executor executor, proxy_variables proxies, tls_options tls)
    : executor_(std::move(executor)), proxies_(std::move(proxies)), tls_(std::move(tls)) {
  tls_.enabled = true;
}

result<client*> origins::client_of(const url& where, diagnostics& why) {
  const std::string origin = where.origin();
  if (const auto known = clients_.find(origin); known != clients_.end()) return &known->second;
  auto proxy = choose_proxy(proxies_, where, why);
  if (!proxy) return proxy.error();
  const bool secure = where.secure || (*proxy && (*proxy)->secure);
  if (secure && !context_) {
    auto made = tls_context::make(tls_, why);
    if (!made) return made.error();
    context_ = *made;
  }
  const way how(executor_, where, *proxy, context_);
  const auto dial = [how](std::chrono::milliseconds deadline, diagnostics& words) {
    return way::go(how, deadline, words);
  };
  const auto added = clients_.emplace(origin, client(executor_, dial, origin));
  return &added.first->second;
}

task<std::unique_ptr<exchange>> origins::start(url where, request what, deadlines limits, diagnostics& why) {
  auto found = client_of(where, why);
  if (!found) co_return found.error();
  what.head.target = where.target;
  // A proxy for plain HTTP is asked for the whole URL.
  if (!where.secure) {
    auto proxy = choose_proxy(proxies_, where, why);
    if (!proxy) co_return proxy.error();
    if (*proxy) {
      what.head.target = where.origin() + where.target;
      if (!(*proxy)->user.empty())
        what.head.fields.push_back(
            {"Proxy-Authorization", "Basic " + encode_base64((*proxy)->user + ':' + (*proxy)->password)});
    }
  }
  what.head.fields.push_back({"Host", where.authority()});
  auto started = co_await (*found)->start(std::move(what), limits, why);
  co_return started;
}

void origins::give_back(const url& where, exchange& over) {
  if (const auto known = clients_.find(where.origin()); known != clients_.end())
    known->second.give_back(over);
}

}  // namespace dockline::http
