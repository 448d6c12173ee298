#include "dockline/engine/system.hpp"

#include "core/json.hpp"
#include "engine/client_state.hpp"

namespace dockline::engine {
namespace {

task<ping_result> ping(std::shared_ptr<client_state> state, diagnostics& why) {
  auto pong = co_await state->ping(why);
  if (!pong) co_return pong.error();
  const http::response_head& head = pong->head;
  ping_result found;
  found.api_version = head.find("Api-Version");
  found.os_type = head.find("OSType");
  found.builder_version = head.find("Builder-Version");
  found.server = head.find("Server");
  found.libpod_version = head.find("Libpod-API-Version");
  found.experimental = head.find("Docker-Experimental") == "true";
  auto negotiated = state->settle(found.api_version, why);
  if (!negotiated) co_return negotiated.error();
  found.negotiated_version = to_string(*negotiated);
  co_return found;
}

task<version_result> ask_version(std::shared_ptr<client_state> state, diagnostics& why) {
  auto reply = co_await state->call(endpoint("GET", "/version"), why);
  if (!reply) co_return reply.error();
  const auto parsed = json::parse(reply->body);
  if (!parsed) co_return parsed.error();
  const json::value root = parsed->root();
  version_result found;
  found.version = root.find("Version").string_or_empty();
  found.api_version = root.find("ApiVersion").string_or_empty();
  found.min_api_version = root.find("MinAPIVersion").string_or_empty();
  found.os = root.find("Os").string_or_empty();
  found.arch = root.find("Arch").string_or_empty();
  found.kernel_version = root.find("KernelVersion").string_or_empty();
  found.git_commit = root.find("GitCommit").string_or_empty();
  found.go_version = root.find("GoVersion").string_or_empty();
  found.build_time = root.find("BuildTime").string_or_empty();
  found.platform_name = root.find("Platform").find("Name").string_or_empty();
  co_return found;
}

}  // namespace

void start_ping(client daemon, diagnostics* why, completion_handler<ping_result> handler) {
  auto state = daemon.state();
  spawn<ping_result>(state->strand, why, std::move(handler),
                     [state](diagnostics& words) { return ping(state, words); });
}

void start_version(client daemon, diagnostics* why, completion_handler<version_result> handler) {
  auto state = daemon.state();
  spawn<version_result>(state->strand, why, std::move(handler),
                        [state](diagnostics& words) { return ask_version(state, words); });
}

}  // namespace dockline::engine
