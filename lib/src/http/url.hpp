#pragma once

#include "dockline/core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::http {

// An absolute URL of a service, as far as a request needs it.
struct url {
  url() = default;

  bool secure = true;  // https
  std::string host;    // a name or an address, without brackets
  std::uint16_t port = 443;
  std::string target = "/";  // path and query, as they were written
  std::string user;          // decoded; only where the text had them
  std::string password;

  // "storage.example", "127.0.0.1:8080", "[::1]:8080": what the Host field says.
  std::string authority() const;
  // "https://storage.example": what has connections in common.
  std::string origin() const;
  // Whether it is this machine by its name or address.
  bool is_loopback() const;
};

// Reads "http://…" or "https://…"; a fragment is dropped. Errors: errc::invalid_argument; the words start
// with the text, but for what may be a secret of it: user, password and query.
result<url> parse_url(std::string_view text, diagnostics& why);

// What a Location field means in the answer of `base`, RFC 9110 section 10.2.2: where it is no whole URL, the rest is
// that of `base`. As it is where either is none.
std::string resolve_reference(std::string_view base, std::string_view reference);

}  // namespace dockline::http
