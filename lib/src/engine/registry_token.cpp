#include "engine/registry_token.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "core/json.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <cstdint>

namespace dockline::engine {
namespace {

const std::string& secret_of(const registry_auth& auth) noexcept {
  return auth.identity_token.empty() ? auth.password : auth.identity_token;
}

// A secret without a user is a token, however it is called.
bool is_token(const registry_auth& auth) noexcept {
  return !auth.identity_token.empty() || auth.username.empty();
}

}  // namespace

bool has_secret(const registry_auth& auth) noexcept {
  return !secret_of(auth).empty() || !auth.registry_token.empty();
}

std::string token_form(const registry_challenge& challenge, const registry_auth& auth,
                       std::string_view client_id) {
  std::string form;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!form.empty()) form += '&';
    form.append(name).append("=").append(escape_query(value));
  };
  std::string scopes;
  for (const std::string& scope : challenge.scopes) scopes.append(scopes.empty() ? "" : " ").append(scope);
  const bool by_token = is_token(auth);
  add("grant_type", by_token ? "refresh_token" : "password");
  add("service", challenge.service);
  add("client_id", client_id);
  if (!scopes.empty()) add("scope", scopes);
  if (by_token) {
    add("refresh_token", secret_of(auth));
  } else {
    add("username", auth.username);
    add("password", auth.password);
  }
  return form;
}

std::string basic_credentials(const registry_auth& auth) {
  return "Basic " + encode_base64((is_token(auth) ? std::string() : auth.username) + ':' + secret_of(auth));
}

bool wants_get(int refusal, const registry_auth& auth) noexcept {
  // As registries do that have no POST: Google's 404, Artifactory's 401.
  return refusal == 404 || refusal == 401 || (refusal == 405 && !is_token(auth));
}

result<registry_token> read_registry_token(std::string_view body, diagnostics& why) {
  const auto refuse = [&](const char* words) {
    why.set_client_message(words);
    return errc::unexpected_answer;
  };
  const auto parsed = json::parse(body);
  if (!parsed || !parsed->root().is_object())
    return refuse("the answer that should hold a token is no JSON object");
  const json::value root = parsed->root();
  registry_token token;
  token.value = root.find("access_token").string_or_empty();
  if (token.value.empty()) token.value = root.find("token").string_or_empty();
  if (token.value.empty()) return refuse("the answer holds no token");
  if (const auto seconds = root.find("expires_in").as_int(); seconds && *seconds > 0)
    token.life = std::chrono::seconds(std::min<std::int64_t>(*seconds, std::int64_t{1} << 31));
  if (const auto issued = parse_rfc3339(root.find("issued_at").string_or_empty()))
    token.issued = std::chrono::floor<std::chrono::seconds>(*issued);
  return token;
}

bool may_have_credentials(const std::string& realm, const std::string& registry) {
  diagnostics unheard;
  const auto to = http::parse_url(realm, unheard);
  if (!to) return false;
  if (to->secure) return true;
  const auto asked = http::parse_url("http://" + registry, unheard);
  return asked && (asked->host == to->host || (asked->is_loopback() && to->is_loopback()));
}

}  // namespace dockline::engine
