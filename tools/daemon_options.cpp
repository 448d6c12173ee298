#include "daemon_options.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>

namespace dockline::tool {

void add_daemon_options(CLI::App& app, global_options& global) {
  CLI::Option* host = app.add_option(
      "-H,--host", global.host,
      "The daemon: unix://PATH, tcp://HOST:PORT or ssh://USER@HOST (DOCKER_HOST, else docker's "
      "current context, else the default socket)");
  host->type_name("ADDRESS");
  app.add_option("-c,--context", global.context, "The docker context that names the daemon (DOCKER_CONTEXT)")
      ->type_name("NAME")
      ->excludes(host);
  app.add_flag_function(
      "--tls", [&global](std::int64_t given) { global.tls = given > 0; },
      "Speak TLS, with whoever it is (DOCKER_TLS)");
  app.add_flag_function(
      "--tlsverify", [&global](std::int64_t given) { global.tls_verify = given > 0; },
      "Speak TLS with a daemon that proves its name (DOCKER_TLS_VERIFY)");
  const auto file = [&](const char* name, std::string& value, const char* help) {
    app.add_option(name, value, help)->type_name("FILE");
  };
  file("--tlscacert", global.tls_ca_file, "Who may vouch for the daemon (DOCKER_CERT_PATH/ca.pem)");
  file("--tlscert", global.tls_certificate_file, "The certificate to show (DOCKER_CERT_PATH/cert.pem)");
  file("--tlskey", global.tls_key_file, "Its key (DOCKER_CERT_PATH/key.pem)");
}

}  // namespace dockline::tool
