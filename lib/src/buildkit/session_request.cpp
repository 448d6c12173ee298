#include "buildkit/session_request.hpp"

#include "dockline/core/diagnostics.hpp"

#include <algorithm>
#include <string>

namespace dockline::buildkit {
namespace {

// A header's value; other bytes would end it, or the head.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
}

}  // namespace

result<engine::endpoint> session_request(std::string_view id, std::string_view name,
                                         std::string_view shared_key, const std::vector<std::string>& methods,
                                         diagnostics& why) {
  for (const std::string_view text : {id, name, shared_key}) {
    if (is_printable(text)) continue;
    why.set_client_message("session: its id, name and key are printable ASCII");
    return errc::invalid_argument;
  }
  engine::endpoint what("POST", "/session");
  what.silent = true;
  what.fields.push_back({"Connection", "Upgrade"});
  what.fields.push_back({"Upgrade", "h2c"});
  what.fields.push_back({"X-Docker-Expose-Session-Uuid", std::string(id)});
  what.fields.push_back({"X-Docker-Expose-Session-Name", std::string(name)});
  what.fields.push_back({"X-Docker-Expose-Session-Sharedkey", std::string(shared_key)});
  for (const std::string& method : methods)
    what.fields.push_back({"X-Docker-Expose-Session-Grpc-Method", method});
  return what;
}

}  // namespace dockline::buildkit
