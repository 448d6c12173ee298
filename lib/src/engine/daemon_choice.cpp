#include "dockline/engine/daemon_choice.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/config_file.hpp"
#include "dockline/engine/docker_context.hpp"

#include "core/environment_variable.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace dockline::engine {
namespace {

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

http::tls_options tls_of(const daemon_sources& sources) {
  http::tls_options tls;
  tls.verify = sources.tls_verify.value_or(sources.docker_tls_verify);
  tls.enabled = tls.verify || sources.tls.value_or(sources.docker_tls);
  if (!tls.enabled) return tls;
  const std::string& folder =
      sources.docker_cert_path.empty() ? sources.config_directory : sources.docker_cert_path;
  // A file that was not asked for need not be there. Where a folder was given, the authorities have to be: a
  // mistyped one must not make those of the system count.
  const auto file = [&](const std::string& asked, const std::string& name, bool needed) {
    if (!asked.empty()) return asked;
    if (folder.empty()) return std::string();
    std::string path = folder + "/" + name;
    return needed || ::access(path.c_str(), F_OK) == 0 ? path : std::string();
  };
  tls.ca_file = file(sources.tls_ca_file, "ca.pem", tls.verify && !sources.docker_cert_path.empty());
  tls.certificate_file = file(sources.tls_certificate_file, "cert.pem", false);
  tls.key_file = file(sources.tls_key_file, "key.pem", false);
  return tls;
}

}  // namespace

daemon_sources daemon_sources_from_environment() {
  daemon_sources sources;
  sources.docker_host = environment_variable("DOCKER_HOST");
  sources.docker_context = environment_variable("DOCKER_CONTEXT");
  sources.docker_tls = !environment_variable("DOCKER_TLS").empty();
  sources.docker_tls_verify = !environment_variable("DOCKER_TLS_VERIFY").empty();
  sources.docker_cert_path = environment_variable("DOCKER_CERT_PATH");
  sources.config_directory = config_directory_from_environment();
  sources.runtime_directory = environment_variable("XDG_RUNTIME_DIR");
  return sources;
}

result<daemon_naming> who_names_the_daemon(const daemon_sources& sources, diagnostics& why) {
  if (!sources.context.empty() && !sources.host.empty()) {
    why.set_client_message("a host and a context are given: only one of them can name the daemon");
    return errc::invalid_argument;
  }
  daemon_naming naming;
  const auto by = [&](daemon_origin origin, const std::string& context) {
    naming.origin = origin;
    if (context != "default") naming.context = context;
    return naming;
  };
  if (!sources.context.empty()) return by(daemon_origin::context_option, sources.context);
  if (!sources.host.empty()) return by(daemon_origin::host_option, {});
  if (!sources.docker_host.empty()) return by(daemon_origin::docker_host, {});
  if (!sources.docker_context.empty()) return by(daemon_origin::docker_context, sources.docker_context);
  if (sources.config_directory.empty()) return naming;
  auto config = read_config_file(sources.config_directory, why);
  if (!config) return config.error();
  if (config->current_context.empty()) return naming;
  return by(daemon_origin::current_context, config->current_context);
}

result<client_options> choose_daemon(const daemon_sources& sources, diagnostics& why) {
  const auto naming = who_names_the_daemon(sources, why);
  if (!naming) return naming.error();
  client_options options;
  if (!naming->context.empty()) {
    auto context = read_docker_context(sources.config_directory, naming->context, why);
    if (!context) return context.error();
    options.host = std::move(context->host);
    options.tls = std::move(context->tls);
    return options;
  }
  options.tls = tls_of(sources);
  if (!sources.host.empty()) {
    options.host = sources.host;
  } else if (!sources.docker_host.empty()) {
    options.host = sources.docker_host;
  } else if (const std::string socket = sources.runtime_directory + "/podman/podman.sock";
             !sources.runtime_directory.empty() && is_socket(socket)) {
    options.hint = "podman has a socket: DOCKER_HOST=unix://" + socket;
  }
  return options;
}

}  // namespace dockline::engine
