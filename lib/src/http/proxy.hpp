#pragma once

#include "core/spawn.hpp"
#include "http/url.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace dockline {
class stream;
}

namespace dockline::http {

// What the environment says of proxies.
struct proxy_variables {
  proxy_variables() = default;

  std::string http;   // HTTP_PROXY: "http://proxy.example:3128", or without the scheme
  std::string https;  // HTTPS_PROXY
  std::string none;   // NO_PROXY: what is reached without one
};

// Whether a list as NO_PROXY has it names `where`: "*"; a domain, which stands for the names below it as well
// (".example.com" only for those); an address; a network, "10.0.0.0/8"; each with ":port" or without. As curl
// and Go take it, this machine is never reached by a proxy.
bool reached_directly(const std::string& list, const url& where);

// The proxy for `where`, if there is one. Errors: errc::invalid_argument for one that is not a URL.
result<std::optional<url>> choose_proxy(const proxy_variables& variables, const url& where, diagnostics& why);

// Asks the proxy at the other end of `connection` for a way to `where` (CONNECT, RFC 9110, section 9.3.6),
// and returns the connection, which then is one to there. Errors: errc::cannot_connect with the proxy's
// refusal; those of an exchange.
task<std::unique_ptr<stream>> tunnel(std::unique_ptr<stream> connection, asio::any_io_executor executor,
                                     url where, url proxy, std::chrono::milliseconds deadline,
                                     diagnostics& why);

}  // namespace dockline::http
