#include "dockline/engine/registry_auth.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"
#include "engine/registry_auth_header.hpp"

namespace dockline::engine {
namespace {

constexpr std::string_view hub_key = "https://index.docker.io/v1/";

void write(json::writer& out, const registry_auth& auth) {
  const auto field = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out.key(name).string(text);
  };
  out.begin_object();
  // A server without credentials is no reason to send its name.
  if (!auth.anonymous()) {
    field("username", auth.username);
    field("password", auth.password);
    field("identitytoken", auth.identity_token);
    field("registrytoken", auth.registry_token);
    field("serveraddress", auth.server_address);
  }
  out.end_object();
}

}  // namespace

std::string registry_key(std::string_view registry) {
  if (const std::size_t scheme = registry.find("://"); scheme != registry.npos) {
    registry.remove_prefix(scheme + 3);
  }
  registry = registry.substr(0, registry.find('/'));
  // A host's name knows no case; the port behind it has none.
  std::string host = lower_case(registry);
  if (host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io") {
    return std::string(hub_key);
  }
  return host;
}

std::string registry_auth_json(const registry_auth& auth) {
  json::writer out;
  write(out, auth);
  return out.take();
}

std::string encode_registry_auth(const registry_auth& auth) {
  return encode_base64url(registry_auth_json(auth));
}

std::string encode_registry_config(const std::map<std::string, registry_auth>& auths) {
  json::writer out;
  out.begin_object();
  // Two ways of writing one registry would be one key twice; the first is sent.
  std::map<std::string, const registry_auth*> by_key;
  for (const auto& [registry, auth] : auths) {
    if (!auth.anonymous()) by_key.emplace(registry_key(registry), &auth);
  }
  for (const auto& [key, auth] : by_key) {
    out.key(key);
    write(out, *auth);
  }
  out.end_object();
  return encode_base64url(out.text());
}

}  // namespace dockline::engine
