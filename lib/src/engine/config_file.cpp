#include "dockline/engine/config_file.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "engine/settings_file.hpp"

#include <cstdlib>
#include <optional>

namespace dockline::engine {
namespace {

// The value filed under a registry, however that is written; what is written as docker writes it goes first.
template <class Value>
const Value* find_registry(const std::map<std::string, Value>& by_registry, std::string_view registry) {
  const std::string key = registry_key(registry);
  if (const auto exact = by_registry.find(key); exact != by_registry.end()) return &exact->second;
  for (const auto& [written, value] : by_registry) {
    if (registry_key(written) == key) return &value;
  }
  return nullptr;
}

// Takes the members of the document apart. The first that is not what it should be is kept as the reason.
class reader {
 public:
  reader(std::string_view path, diagnostics& why) : path_(path), why_(why) {}

  bool failed() const noexcept { return failed_; }

  void read(json::value root, config_file& into) {
    text(root, "credsStore", into.credentials_store);
    text(root, "currentContext", into.current_context);
    texts(root, "credHelpers", into.credential_helpers);
    texts(root, "HttpHeaders", into.http_headers);
    each(root, "auths", [&](const std::string& registry, json::value entry) {
      registry_auth auth;
      read(registry, entry, auth);
      if (!auth.anonymous()) into.auths.insert_or_assign(registry, std::move(auth));
    });
    each(root, "proxies", [&](const std::string& host, json::value entry) {
      proxy_settings proxies;
      const place here(*this, "proxies", host);
      text(entry, "httpProxy", proxies.http);
      text(entry, "httpsProxy", proxies.https);
      text(entry, "ftpProxy", proxies.ftp);
      text(entry, "allProxy", proxies.all);
      text(entry, "noProxy", proxies.no);
      into.proxies.insert_or_assign(host, std::move(proxies));
    });
  }

 private:
  // The object that is looked into, for the messages.
  class place {
   public:
    place(reader& whose, std::string_view member, std::string_view key) : whose_(whose) {
      whose_.place_ = "\"" + std::string(member) + "\", \"" + std::string(key) + "\", ";
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() { whose_.place_.clear(); }

   private:
    reader& whose_;
  };

  void refuse(std::string_view name, std::string_view rule) {
    if (failed_) return;
    failed_ = true;
    why_.set_client_message(std::string(path_) + ": " + place_ + "\"" + std::string(name) +
                            "\": " + std::string(rule));
  }

  void text(json::value object, std::string_view name, std::string& into) {
    const json::value found = object.find(name);
    if (!found.exists() || found.is_null()) return;
    if (!found.is_string()) return refuse(name, "not a string");
    into = found.string_or_empty();
  }

  template <class Visit>
  void each(json::value root, std::string_view name, Visit visit) {
    const json::value found = root.find(name);
    if (!found.exists() || found.is_null()) return;
    if (!found.is_object()) return refuse(name, "not an object");
    for (const auto& [key, value] : found.members()) {
      if (!value.is_object() && !value.is_null()) return refuse(name, "holds something else than objects");
      visit(std::string(key), value);
    }
  }

  void texts(json::value root, std::string_view name, std::map<std::string, std::string>& into) {
    const json::value found = root.find(name);
    if (!found.exists() || found.is_null()) return;
    if (!found.is_object()) return refuse(name, "not an object");
    for (const auto& [key, value] : found.members()) {
      if (!value.is_string()) return refuse(name, "holds something else than strings");
      into.insert_or_assign(std::string(key), std::string(value.string_or_empty()));
    }
  }

  void read(const std::string& registry, json::value entry, registry_auth& auth) {
    const place here(*this, "auths", registry);
    std::string both;
    text(entry, "username", auth.username);
    text(entry, "password", auth.password);
    text(entry, "identitytoken", auth.identity_token);
    text(entry, "registrytoken", auth.registry_token);
    text(entry, "auth", both);
    // As docker has it: some scripts leave in what their base64 breaks lines with.
    std::erase_if(both, [](char c) { return c == '\r' || c == '\n'; });
    if (!both.empty()) {
      const auto decoded = decode_base64(both);
      const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
      if (colon == std::string::npos || colon == 0) return refuse("auth", "not USER:PASSWORD in base64");
      auth.username = decoded->substr(0, colon);
      auth.password = decoded->substr(colon + 1);
      // Some tools of old filled the password up.
      auth.password.erase(auth.password.find_last_not_of('\0') + 1);
    }
    auth.server_address = registry_key(registry);
  }

  std::string_view path_;
  diagnostics& why_;
  std::string place_;
  bool failed_ = false;
};

}  // namespace

const registry_auth* config_file::auth_for(std::string_view registry) const {
  return find_registry(auths, registry);
}

std::string config_file::helper_for(std::string_view registry) const {
  const std::string* own = find_registry(credential_helpers, registry);
  return own != nullptr ? *own : credentials_store;
}

const proxy_settings* config_file::proxies_for(std::string_view host) const {
  auto found = proxies.find(std::string(host));
  if (found == proxies.end()) found = proxies.find("default");
  return found == proxies.end() ? nullptr : &found->second;
}

result<config_file> parse_config_file(std::string_view text, std::string_view path, diagnostics& why) {
  config_file settings;
  if (text.find_first_not_of(" \t\r\n") == text.npos) return settings;
  const auto parsed = parse_settings(text, path, why);
  if (!parsed) return parsed.error();
  reader members(path, why);
  members.read(parsed->root(), settings);
  if (members.failed()) return errc::bad_configuration;
  return settings;
}

result<config_file> read_config_file(const std::string& directory, diagnostics& why) {
  const std::string path = directory + "/config.json";
  const auto text = read_settings_file(path, why);
  if (!text) return text.error();
  return *text ? parse_config_file(**text, path, why) : config_file();
}

std::string config_directory_from_environment() {
  const char* directory = std::getenv("DOCKER_CONFIG");
  if (directory != nullptr && *directory != '\0') return directory;
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.docker" : std::string();
}

result<config_file> config_file_from_environment(diagnostics& why) {
  const std::string directory = config_directory_from_environment();
  return directory.empty() ? config_file() : read_config_file(directory, why);
}

}  // namespace dockline::engine
