#pragma once

// The user's settings as the docker CLI keeps them in config.json, as far as this library honours them.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"
#include "dockline/engine/registry_auth.hpp"

#include <map>
#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::engine {

// Proxies for the containers of one daemon.
struct proxy_settings {
  proxy_settings() = default;

  std::string http;   // for http:// URLs: "http://proxy.example:3128"; httpProxy in the file
  std::string https;  // for https:// URLs; httpsProxy
  std::string ftp;    // for ftp:// URLs; ftpProxy
  std::string all;    // for what none of the others is for; allProxy
  std::string no;     // what is reached without one

  bool operator==(const proxy_settings&) const = default;  // field by field
};

// What config.json says. The keys of registries are as written there; see registry_key().
struct DOCKLINE_API config_file {
  config_file() = default;

  // Passwords in the file itself ("auths"). Entries without any, which docker leaves as a reminder that a
  // store has them, are not here.
  std::map<std::string, registry_auth> auths;
  // "credsStore": with "pass" the program docker-credential-pass is asked for the credentials.
  std::string credentials_store;
  // "credHelpers": the same for one registry. An empty name stands for "auths".
  std::map<std::string, std::string> credential_helpers;
  // "currentContext". Empty or "default": none.
  std::string current_context;
  // By the daemon's address, or "default".
  std::map<std::string, proxy_settings> proxies;
  // Fields that every request to a daemon is to carry ("HttpHeaders").
  std::map<std::string, std::string> http_headers;

  // The credentials that the file itself has for a registry; null for none.
  const registry_auth* auth_for(std::string_view registry) const;
  // The helper that has them: the registry's own, else the store. Empty for none.
  std::string helper_for(std::string_view registry) const;
  // The proxies for the containers of the daemon at `host`; null for none.
  const proxy_settings* proxies_for(std::string_view host) const;
};

// Reads the text of a config.json. A text of nothing but white space is an empty configuration; what this
// library has no use for is passed over. `path` is for the messages, which never show a value.
// Errors: errc::bad_configuration; the diagnostics name the path, and the line or the member.
DOCKLINE_API result<config_file> parse_config_file(std::string_view text, std::string_view path,
                                                   diagnostics& why);

// Reads config.json in a directory. A file that is not there is an empty configuration. Waits for the disk.
// Errors: those of parse_config_file, and errc::bad_configuration for a file that cannot be read.
DOCKLINE_API result<config_file> read_config_file(const std::string& directory, diagnostics& why);

// Where docker keeps its settings: $DOCKER_CONFIG, else $HOME/.docker. Empty when neither is set.
DOCKLINE_API std::string config_directory_from_environment();

// read_config_file() in that directory.
DOCKLINE_API result<config_file> config_file_from_environment(diagnostics& why);

}  // namespace dockline::engine
