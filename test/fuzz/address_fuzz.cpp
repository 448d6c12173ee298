// The text of an address, a NUL, and a list as NO_PROXY has it. Whatever they are: what is read of an address
// is written and reads as the same, a refusal has words, and none of a URL's secrets is among them.

#include "dockline/core/diagnostics.hpp"
#include "dockline/http/address.hpp"

#include "http/proxy.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace dockline;

void require(bool truth) {
  if (!truth) std::abort();
}

bool same(const http::address& one, const http::address& other) {
  return one.over == other.over && one.path == other.path && one.user == other.user &&
         one.host == other.host && one.port == other.port;
}

void check_address(std::string_view text) {
  diagnostics why;
  const auto where = http::parse_address(text, why);
  require(where.has_value() == why.empty());
  if (!where) {
    require(where.error() == errc::invalid_address);
    require(why.client_message().starts_with("daemon address \""));
    return;
  }
  // What ssh is called with is never taken for an option of it.
  require(!where->host.starts_with('-') && !where->user.starts_with('-'));
  const auto again = http::parse_address(http::to_string(*where), why);
  require(again && same(*again, *where));
}

void check_url(std::string_view text, const std::string& list) {
  diagnostics why;
  const auto where = http::parse_url(text, why);
  require(where.has_value() == why.empty());
  if (!where) {
    require(where.error() == errc::invalid_argument && why.client_message().starts_with('"'));
    return;
  }
  // Both go into a request's head.
  const auto breaks_out = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  require(std::ranges::none_of(where->target, breaks_out) && where->target.starts_with('/'));
  require(std::ranges::none_of(where->authority(), breaks_out));
  const auto again = http::parse_url(where->origin() + where->target, why);
  require(again && again->secure == where->secure && again->host == where->host &&
          again->port == where->port && again->target == where->target);

  http::proxy_variables variables;
  variables.http = variables.https = "proxy.example:3128";
  variables.none = list;
  const auto proxy = http::choose_proxy(variables, *where, why);
  require(proxy && proxy->has_value() == !http::reached_directly(list, *where));
  require(!where->is_loopback() || !*proxy);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\0');
  check_address(text.substr(0, end));
  // With what is behind the NUL, too: it is part of no address.
  check_address(text);
  check_url(text.substr(0, end), end == text.npos ? std::string() : std::string(text.substr(end + 1)));
  return 0;
}
