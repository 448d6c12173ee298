#include "dockline/engine/auth_check.hpp"

#include "core/json.hpp"
#include "engine/answers.hpp"
#include "engine/client_state.hpp"
#include "engine/registry_auth_header.hpp"

namespace dockline::engine {
namespace {

task<auth_check_result> ask(std::shared_ptr<client_state> state, registry_auth auth, diagnostics& why) {
  auto reply = co_await state->call(auth_check_request(auth), why);
  if (!reply) co_return reply.error();
  co_return read_auth_check(reply->body);
}

}  // namespace

result<auth_check_result> read_auth_check(std::string_view body) {
  auth_check_result found;
  // 204: they are right, and there is nothing to add.
  if (body.empty()) return found;
  const auto parsed = json::parse(body);
  if (!parsed) return parsed.error();
  found.status = parsed->root().find("Status").string_or_empty();
  found.identity_token = parsed->root().find("IdentityToken").string_or_empty();
  return found;
}

endpoint auth_check_request(const registry_auth& auth) {
  endpoint what("POST", "/auth");
  what.body = registry_auth_json(auth);
  return what;
}

void start_auth_check(client daemon, registry_auth auth, diagnostics* why,
                      completion_handler<auth_check_result> handler) {
  auto state = daemon.state();
  spawn<auth_check_result>(state->strand, why, std::move(handler),
                           [state, auth = std::move(auth)](diagnostics& words) mutable {
                             return ask(state, std::move(auth), words);
                           });
}

}  // namespace dockline::engine
