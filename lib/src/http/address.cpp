#include "dockline/http/address.hpp"

#include "dockline/core/diagnostics.hpp"

#include <sys/un.h>

namespace dockline::http {
namespace {

constexpr std::string_view unix_scheme = "unix://";
// One byte of sun_path is the terminating NUL.
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace

result<address> parse_address(std::string_view text, diagnostics& why) {
  const auto refuse = [&](const std::string& reason) {
    why.set_client_message("daemon address \"" + std::string(text) + "\": " + reason);
    return errc::invalid_address;
  };
  if (!text.starts_with(unix_scheme)) {
    return refuse(text.find("://") == text.npos ? "no scheme; a Unix socket is written unix:///path"
                                                : "this version speaks unix:// only");
  }
  const std::string_view path = text.substr(unix_scheme.size());
  if (path.empty() || path.front() != '/') return refuse("the path of the socket has to be absolute");
  if (path.size() > longest_path) {
    return refuse("the path of a Unix socket is at most " + std::to_string(longest_path) + " bytes long");
  }
  if (path.find('\0') != path.npos) return refuse("the path holds a NUL byte");
  address where;
  where.path = path;
  return where;
}

std::string to_string(const address& where) { return std::string(unix_scheme) + where.path; }

}  // namespace dockline::http
