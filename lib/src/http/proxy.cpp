#include "http/proxy.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/stream.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "http/exchange.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <string_view>
#include <utility>

namespace dockline::http {
namespace {

// The network or address of an entry, if it is one.
bool holds_address(std::string_view entry, const asio::ip::address& host) {
  error_code code;
  const std::string text(entry);
  if (entry.find('/') == entry.npos) return asio::ip::make_address(text, code) == host && !code;
  if (host.is_v4()) {
    const auto network = asio::ip::make_network_v4(text, code);
    return !code &&
           asio::ip::network_v4(host.to_v4(), network.prefix_length()).canonical() == network.canonical();
  }
  const auto network = asio::ip::make_network_v6(text, code);
  return !code &&
         asio::ip::network_v6(host.to_v6(), network.prefix_length()).canonical() == network.canonical();
}

// The metadata services of clouds, which are asked for credentials: no other machine has to hear of those.
bool is_metadata_server(const std::string& host) {
  if (host == "metadata.google.internal") return true;
  error_code code;
  const auto numeric = asio::ip::make_address(host, code);
  if (code) return false;
  if (numeric.is_v6())
    return numeric.to_v6().is_link_local() || numeric == asio::ip::make_address("fd00:ec2::254");
  return holds_address("169.254.0.0/16", numeric);
}

bool names(std::string_view entry, const url& where) {
  if (entry == "*") return true;
  error_code no_address;
  const auto numeric = asio::ip::make_address(where.host, no_address);
  if (!no_address && holds_address(entry, numeric)) return true;
  const std::size_t colon = entry.rfind(':');
  if (colon != entry.npos && (entry.find(':') == colon || entry[colon - 1] == ']')) {
    if (entry.substr(colon + 1) != std::to_string(where.port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (!no_address) return holds_address(entry, numeric);
  const bool only_below = entry.starts_with('.');
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  const std::string domain = lower_case(entry);
  if (!only_below && where.host == domain) return true;
  return where.host.ends_with(domain.starts_with('.') ? domain : '.' + domain);
}

}  // namespace

bool reached_directly(const std::string& list, const url& where) {
  if (where.is_loopback() || is_metadata_server(where.host)) return true;
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view entry = rest.substr(0, comma);
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (!entry.empty() && names(entry, where)) return true;
  }
  return false;
}

result<std::optional<url>> choose_proxy(const proxy_variables& variables, const url& where,
                                        diagnostics& why) {
  const std::string& text = where.secure ? variables.https : variables.http;
  if (text.empty() || reached_directly(variables.none, where)) return std::optional<url>();
  const bool bare = text.find("://") == text.npos;
  auto proxy = parse_url(bare ? "http://" + text : text, why);
  if (!proxy) {
    why.set_client_message((where.secure ? "HTTPS_PROXY " : "HTTP_PROXY ") + why.client_message());
    return proxy.error();
  }
  return std::optional<url>(std::move(*proxy));
}

task<std::unique_ptr<stream>> tunnel(std::unique_ptr<stream> connection, asio::any_io_executor executor,
                                     url where, url proxy, std::chrono::milliseconds deadline,
                                     diagnostics& why) {
  deadlines limits;
  limits.total = deadline;
  exchange over(executor, std::move(connection), limits, "the proxy " + proxy.origin());
  request what;
  what.head.method = "CONNECT";
  // Always with its port, also the usual one.
  std::string host = where.host.find(':') == where.host.npos ? where.host : '[' + where.host + ']';
  what.head.target = host + ':' + std::to_string(where.port);
  what.head.fields.push_back({"Host", what.head.target});
  if (!proxy.user.empty())
    what.head.fields.push_back(
        {"Proxy-Authorization", "Basic " + encode_base64(proxy.user + ':' + proxy.password)});
  if (auto started = co_await over.start(std::move(what), why); !started) co_return started.error();
  const int status = over.head().status;
  std::string early;
  auto open = co_await over.upgrade(early);
  if (status / 100 == 2 && early.empty()) co_return std::move(open);
  why.set_client_message("cannot connect to " + where.origin() + ": the proxy " + proxy.origin() +
                         (status == 407 ? " wants other credentials (HTTPS_PROXY=http://USER:PASSWORD@HOST)"
                                        : " refuses with status " + std::to_string(status)));
  co_return errc::cannot_connect;
}

}  // namespace dockline::http
