#pragma once

// Which daemon is meant, decided as the docker CLI does it.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"
#include "dockline/engine/client.hpp"

#include <optional>
#include <string>

namespace dockline {
class diagnostics;
}

namespace dockline::engine {

// All that has a say. Empty is "does not say".
struct daemon_sources {
  daemon_sources() = default;

  std::string host;     // what was asked for: --host
  std::string context;  // or by the name of a docker context: --context

  // TLS, as it was asked for.
  std::optional<bool> tls;           // --tls; alone it takes any certificate
  std::optional<bool> tls_verify;    // --tlsverify; implies the former
  std::string tls_ca_file;           // --tlscacert; empty: ca.pem in docker_cert_path
  std::string tls_certificate_file;  // --tlscert; empty: cert.pem there
  std::string tls_key_file;          // --tlskey; empty: key.pem there

  // The environment.
  std::string docker_host;         // DOCKER_HOST
  std::string docker_context;      // DOCKER_CONTEXT
  bool docker_tls = false;         // DOCKER_TLS, whether it is set to anything
  bool docker_tls_verify = false;  // DOCKER_TLS_VERIFY, the same: also "0" is a yes, as with docker
  std::string docker_cert_path;    // DOCKER_CERT_PATH: the folder of ca.pem, cert.pem and key.pem
  std::string config_directory;    // config_directory_from_environment()
  std::string runtime_directory;   // XDG_RUNTIME_DIR, where podman would have its socket
};

// The sources that are in the environment, and nothing asked for. Reads no file.
DOCKLINE_API daemon_sources daemon_sources_from_environment();

// Who has the say.
enum class daemon_origin {
  host_option,      // daemon_sources::host
  context_option,   // daemon_sources::context
  docker_host,      // DOCKER_HOST
  docker_context,   // DOCKER_CONTEXT
  current_context,  // "currentContext" of config.json
  default_socket    // nobody: unix:///var/run/docker.sock
};

// Who named the daemon, and how.
struct daemon_naming {
  daemon_naming() = default;

  daemon_origin origin = daemon_origin::default_socket;  // who had the say
  // The docker context that it named. Empty: an address, or the default socket; also for the name "default".
  std::string context;
};

// How choose_daemon() decides, without the settings of the context.
// Errors: those of choose_daemon, but for what a context's own files have.
DOCKLINE_API result<daemon_naming> who_names_the_daemon(const daemon_sources& sources, diagnostics& why);

// The daemon: `host`, or the context that `context` names; else DOCKER_HOST, DOCKER_CONTEXT, the current
// context of config.json, and last the default socket; the context "default" is DOCKER_HOST or the default
// socket. Nothing is read that is not needed for that. Waits for the disk.
//
// In the result `host`, `tls` and `hint` are set. Where the default socket was chosen and a socket of podman
// exists, the hint names it; it is never chosen.
//
// Errors: errc::invalid_argument when both `host` and `context` are given, or there is no such context;
// errc::bad_configuration for what cannot be read or understood.
DOCKLINE_API result<client_options> choose_daemon(const daemon_sources& sources, diagnostics& why);

}  // namespace dockline::engine
