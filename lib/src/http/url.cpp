#include "http/url.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/ascii.hpp"

#include <boost/asio/ip/address.hpp>
#define BOOST_URL_NO_LIB 1
#include <boost/url/parse.hpp>
#include <boost/url/src.hpp>  // the library's own sources: nothing to link

#include <algorithm>
#include <cctype>
#include <charconv>

namespace dockline::http {
namespace {

std::uint16_t usual_port(bool secure) { return secure ? 443 : 80; }

// What may be shown of a URL.
std::string shown(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  const std::size_t scheme = text.find("://");
  const std::size_t start = scheme == text.npos ? 0 : scheme + 3;
  const std::size_t at = text.substr(0, text.find('/', start)).rfind('@');
  std::string safe(text.substr(0, start));
  safe += at == text.npos || at < start ? text.substr(start) : text.substr(at + 1);
  std::ranges::replace_if(
      safe, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return safe;
}

}  // namespace

std::string url::authority() const {
  std::string text = host.find(':') == host.npos ? host : '[' + host + ']';
  if (port != usual_port(secure)) text += ':' + std::to_string(port);
  return text;
}

std::string url::origin() const { return (secure ? "https://" : "http://") + authority(); }

bool url::is_loopback() const {
  error_code code;
  const auto numeric = boost::asio::ip::make_address(host, code);
  return code ? host == "localhost" || host.ends_with(".localhost") : numeric.is_loopback();
}

result<url> parse_url(std::string_view text, diagnostics& why) {
  const auto refuse = [&](const std::string& reason) {
    why.set_client_message('"' + shown(text) + "\": " + reason);
    return errc::invalid_argument;
  };
  // Behind a scheme alone Boost 1.81 takes one character that may not stand there for a part of a path, and then
  // asserts that there is none.
  const std::size_t colon = text.find(':');
  if (colon == text.npos || !text.substr(colon).starts_with("://")) return refuse("not a URL");
  const auto parsed = boost::urls::parse_uri(text);
  // What stands behind "[::1]" is a path to Boost 1.81, however it starts.
  if (!parsed || !(parsed->encoded_path().empty() || parsed->encoded_path().starts_with('/')))
    return refuse("not a URL");
  url where;
  const auto scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https)
    return refuse("a URL here begins with https:// or http://");
  where.secure = scheme == boost::urls::scheme::https;
  // No host needs an escaped letter, and what one stands for might be no name, or an address.
  const bool numeric = parsed->host_type() == boost::urls::host_type::ipv6;
  where.host = lower_case(numeric ? parsed->host_address() : std::string(parsed->encoded_host()));
  if (where.host.empty()) return refuse("the host is missing");
  const std::string_view others = numeric ? "-._:%" : "-._";
  const bool good = std::ranges::all_of(where.host, [&](unsigned char c) {
    return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != others.npos;
  });
  if (!good) return refuse("not the name or address of a host");
  where.port = usual_port(where.secure);
  if (parsed->has_port() && !parsed->port().empty()) {
    const std::string_view port = parsed->port();
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), where.port);
    if (code != std::errc() || end != port.data() + port.size() || where.port == 0)
      return refuse("the port is a number from 1 to 65535");
  }
  where.user = parsed->user();
  where.password = parsed->password();
  where.target = std::string(parsed->encoded_path());
  if (where.target.empty()) where.target = "/";
  if (parsed->has_query()) where.target += '?' + std::string(parsed->encoded_query());
  return where;
}

std::string resolve_reference(std::string_view base, std::string_view reference) {
  const auto start = boost::urls::parse_uri(base);
  const auto rest = boost::urls::parse_uri_reference(reference);
  boost::urls::url whole;
  if (!start || !rest || reference.empty() || rest->has_scheme() ||
      !boost::urls::resolve(*start, *rest, whole))
    return std::string(reference);
  return std::string(std::string_view(whole.buffer()));
}

}  // namespace dockline::http
