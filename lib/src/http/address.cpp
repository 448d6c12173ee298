#include "dockline/http/address.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/ascii.hpp"

#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace dockline::http {
namespace {

constexpr std::string_view unix_scheme = "unix://";
constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::string_view ssh_scheme = "ssh://";
// One byte of sun_path is the terminating NUL.
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

// What a refusal starts with, and where it goes.
struct refusal {
  std::string_view text;
  diagnostics& why;

  errc operator()(const std::string& reason) const {
    why.set_client_message("daemon address \"" + std::string(text) + "\": " + reason);
    return errc::invalid_address;
  }
};

// Names, IPv4, IPv6 with its zone. A host that starts with '-' would be an option of ssh.
bool is_host(std::string_view text) {
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("._-:%").find(c) != std::string_view::npos;
  });
}

bool is_user(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7f && c != '%'; });
}

// HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT
result<void> read_authority(std::string_view text, address& where, const refusal& refuse) {
  std::string_view host = text;
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return refuse("the ']' behind the IPv6 address is missing");
    host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return refuse("behind the ']' stands :PORT or nothing");
    if (!rest.empty()) port = rest.substr(1);
    if (host.find(':') == host.npos) return refuse("between the brackets stands no IPv6 address");
  } else if (const std::size_t colon = text.find(':'); colon != text.npos) {
    if (text.find(':', colon + 1) != text.npos) return refuse("an IPv6 address stands in brackets");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (port) {
    const auto [end, code] = std::from_chars(port->data(), port->data() + port->size(), where.port);
    if (code != std::errc() || end != port->data() + port->size() || where.port == 0) {
      return refuse("the port is a number from 1 to 65535");
    }
  }
  where.host = host;
  return {};
}

result<address> read_unix(std::string_view path, const refusal& refuse) {
  if (path.empty() || path.front() != '/') return refuse("the path of the socket has to be absolute");
  if (path.size() > longest_path) {
    return refuse("the path of a Unix socket is at most " + std::to_string(longest_path) + " bytes long");
  }
  if (path.find('\0') != path.npos) return refuse("the path holds a NUL byte");
  address where;
  where.path = path;
  return where;
}

result<address> read_tcp(std::string_view rest, const refusal& refuse) {
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != rest.npos) {
    return refuse("a path behind the port is not supported, only tcp://HOST:PORT");
  }
  if (rest.find('@') != rest.npos) return refuse("a TCP address has no user");
  address where;
  where.over = transport::tcp;
  if (auto read = read_authority(rest, where, refuse); !read) return read.error();
  // As docker takes it.
  if (where.host.empty()) where.host = "localhost";
  if (!is_host(where.host)) return refuse("not the name or address of a host");
  return where;
}

result<address> read_ssh(std::string_view rest, const refusal& refuse) {
  if (rest.find_first_of("?#") != rest.npos) return refuse("an ssh address has neither query nor fragment");
  address where;
  where.over = transport::ssh;
  if (const std::size_t slash = rest.find('/'); slash != rest.npos) {
    where.path = rest.substr(slash);
    rest = rest.substr(0, slash);
    // "ssh://host/" is the host.
    if (where.path == "/") where.path.clear();
    if (std::ranges::any_of(where.path, [](unsigned char c) { return c < ' ' || c == 0x7f; })) {
      return refuse("the path of the socket holds a control character");
    }
  }
  if (const std::size_t at = rest.rfind('@'); at != rest.npos) {
    where.user = rest.substr(0, at);
    rest = rest.substr(at + 1);
    if (where.user.find(':') != std::string::npos) {
      return refuse("a password does not belong into an address; ssh has keys and agents for that");
    }
    if (!is_user(where.user)) return refuse("not the name of a user");
  }
  if (auto read = read_authority(rest, where, refuse); !read) return read.error();
  if (where.host.empty()) return refuse("the host is missing");
  if (!is_host(where.host)) return refuse("not the name or address of a host");
  return where;
}

}  // namespace

result<address> parse_address(std::string_view text, diagnostics& why) {
  refusal refuse{text, why};
  if (text.starts_with(unix_scheme)) return read_unix(text.substr(unix_scheme.size()), refuse);
  if (text.starts_with(tcp_scheme)) return read_tcp(text.substr(tcp_scheme.size()), refuse);
  if (text.starts_with(ssh_scheme)) {
    const std::string_view rest = text.substr(ssh_scheme.size());
    // What stands where a password would is a secret: it is not repeated.
    const std::size_t at = rest.rfind('@');
    if (at != rest.npos && rest.substr(0, at).find(':') != rest.npos) refuse.text = "ssh://...";
    return read_ssh(rest, refuse);
  }
  if (text.starts_with("http://") || text.starts_with("https://")) {
    return refuse("written tcp://HOST:PORT; TLS is a setting of its own");
  }
  if (const std::size_t scheme = text.find("://"); scheme != text.npos) {
    return refuse(std::string(text.substr(0, scheme)) +
                  ":// is not spoken here; unix://, tcp:// and ssh:// are");
  }
  // As docker takes it: what has no scheme is a TCP address. A path, or a bare word, is more likely a slip.
  if (text.find(':') != text.npos && text.find('/') == text.npos) return read_tcp(text, refuse);
  return refuse("no scheme; a Unix socket is written unix:///path, a TCP address tcp://HOST:PORT");
}

std::string to_string(const address& where) {
  if (where.over == transport::unix_socket) return std::string(unix_scheme) + where.path;
  const bool bracketed = where.host.find(':') != std::string::npos;
  std::string text(where.over == transport::tcp ? tcp_scheme : ssh_scheme);
  if (!where.user.empty()) text += where.user + '@';
  text += bracketed ? '[' + where.host + ']' : where.host;
  if (where.port != 0) text += ':' + std::to_string(where.port);
  return text + where.path;
}

}  // namespace dockline::http
