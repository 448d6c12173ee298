#include "dockline/containerize/google_login.hpp"

#include "dockline/gcp/credentials.hpp"

#include "core/spawn.hpp"
#include "gcp/client_state.hpp"

#include <utility>

namespace dockline::containerize {
namespace {

// The user that Google's registries take a token from.
constexpr const char* token_user = "oauth2accesstoken";

task<engine::registry_auth> log_in(gcp::client google, std::string registry, diagnostics& why) {
  if (!is_google_registry(registry)) co_return engine::registry_auth();
  auto token = co_await google.state()->token(std::string(gcp::cloud_platform_scope), why);
  if (!token) co_return token.error();
  if (token->value.empty()) co_return engine::registry_auth();
  engine::registry_auth auth(token_user, std::move(token->value));
  auth.server_address = "https://" + registry;
  co_return auth;
}

}  // namespace

bool is_google_registry(std::string_view registry) noexcept {
  return registry == "gcr.io" || registry.ends_with(".gcr.io") || registry.ends_with("-docker.pkg.dev") ||
         (registry.starts_with("docker.") && registry.ends_with(".rep.pkg.dev"));
}

registry_login google_registry_login(gcp::client google) {
  return [google = std::move(google)](std::string registry, diagnostics* why,
                                      completion_handler<engine::registry_auth> handler) {
    spawn<engine::registry_auth>(google.state()->strand, why, std::move(handler),
                                 [google, registry = std::move(registry)](diagnostics& words) mutable {
                                   return log_in(google, std::move(registry), words);
                                 });
  };
}

}  // namespace dockline::containerize
