#include "doctor_checks.hpp"

#include "human.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <set>
#include <utility>

namespace dockline::tool {
namespace {

// Less than this, and an image of any size no longer fits.
constexpr std::uintmax_t scarce_bytes = std::uintmax_t{2} << 30;

std::string words_for(const engine::daemon_naming& naming) {
  switch (naming.origin) {
    case engine::daemon_origin::host_option: return "--host";
    case engine::daemon_origin::context_option: return "--context";
    case engine::daemon_origin::docker_host: return "DOCKER_HOST";
    case engine::daemon_origin::docker_context: return "DOCKER_CONTEXT";
    case engine::daemon_origin::current_context: return "currentContext of config.json";
    case engine::daemon_origin::default_socket: return "nobody, so it is the default";
  }
  return {};
}

bool is_loopback(std::string_view host) {
  for (const char* one : {"tcp://127.", "tcp://localhost", "tcp://[::1]"}) {
    if (host.starts_with(one)) return true;
  }
  return false;
}

bool has_buildkit(std::string_view api) {
  int minor = 0;
  if (!api.starts_with("1.")) return false;
  std::from_chars(api.data() + 2, api.data() + api.size(), minor);
  return minor >= 39;
}

std::string cure_for(error_code code, const engine::client_options& chosen) {
  const std::string& host = chosen.host;
  const bool local = host.starts_with("unix://");
  if (code == errc::no_permission)
    return "sudo usermod -aG docker $USER, then log in again; or run dockline as root";
  if (code == errc::tls_failed) {
    return "compare --tlscacert, --tlscert and --tlskey (or DOCKER_CERT_PATH) with what the daemon was "
           "started with";
  }
  if (code == errc::invalid_address) return "write unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST";
  if (code == errc::bad_configuration) return "mend the file, or name the daemon with --host";
  if (code == errc::invalid_argument)
    return "`docker context ls` shows the contexts there are; --host needs none";
  if (code == errc::version_too_old) return "upgrade the daemon, or dockline where that is the older one";
  if (code == errc::connection_lost || (code != condition::unreachable && code != condition::timed_out)) {
    return host.starts_with("tcp://") && !chosen.tls.enabled
               ? "if the daemon speaks TLS, as it does on port 2376, give --tlsverify"
               : "make sure that it is a Docker daemon that listens there";
  }
  if (host.starts_with("ssh://")) {
    return "try `ssh " + host.substr(6) + " docker version`: it has to work without a password or a question";
  }
  if (local) {
    return "start it: sudo systemctl start docker; or podman's: systemctl --user start podman.socket, with "
           "DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock; or name another one with --host";
  }
  return "make sure that the daemon runs, that it listens there, and that no firewall is in between";
}

}  // namespace

void check_choice(const engine::daemon_sources& sources, const engine::client_options& chosen,
                  const engine::daemon_naming& naming, findings& daemon) {
  daemon.add("address", "Address", chosen.host);
  daemon.add("chosen_by", "Chosen by", words_for(naming));
  daemon.add("context", "Docker context", naming.context);
  if (chosen.host.starts_with("tcp://")) {
    daemon.add("tls", "TLS",
               std::string(!chosen.tls.enabled ? "off"
                           : chosen.tls.verify ? "verified"
                                               : "not verified"));
  }
  if (chosen.host.starts_with("tcp://") && !chosen.tls.enabled && !is_loopback(chosen.host)) {
    daemon.warn("the daemon is spoken to without TLS: whoever reaches it, or sits in between, is root there",
                "protect the daemon with TLS and give --tlsverify, or use ssh://USER@HOST");
  }
  if (chosen.tls.enabled && !chosen.tls.verify) {
    daemon.warn("TLS is spoken with whoever answers: the daemon's certificate is not verified",
                "give --tlsverify, with --tlscacert for an authority of your own");
  }
  const bool by_option = naming.origin == engine::daemon_origin::host_option ||
                         naming.origin == engine::daemon_origin::context_option;
  if (!by_option && !sources.docker_host.empty() && !sources.docker_context.empty()) {
    daemon.warn("DOCKER_HOST and DOCKER_CONTEXT are both set: DOCKER_CONTEXT does not count",
                "unset one of them");
  }
  if ((sources.docker_tls || sources.docker_tls_verify) && !chosen.host.starts_with("tcp://")) {
    daemon.warn("DOCKER_TLS or DOCKER_TLS_VERIFY is set, which does not count for " + chosen.host,
                "unset it, or name a tcp:// address");
  }
}

void check_failure(error_code code, const diagnostics& why, const engine::client_options& chosen,
                   findings& daemon) {
  daemon.add("reachable", "Reachable", false);
  daemon.fail(describe(code, why), cure_for(code, chosen));
}

void check_daemon(const engine::ping_result& pong, const engine::version_result& version,
                  const engine::system_info& info, std::optional<std::uintmax_t> free_bytes,
                  findings& daemon) {
  const bool podman = !pong.libpod_version.empty();
  daemon.add("reachable", "Reachable", true);
  daemon.add("engine", "Engine", std::string(podman ? "podman" : "dockerd"));
  daemon.add("version", "Version", version.version);
  daemon.add("api_version", "Newest API", version.api_version);
  daemon.add("min_api_version", "Oldest API", version.min_api_version);
  daemon.add("negotiated_version", "API in use", pong.negotiated_version);
  std::vector<std::string> builders;
  if (podman) {
    builders.emplace_back("buildah");
  } else {
    builders.emplace_back("classic");
    // What it prefers it says only from 23.0 on; it has had BuildKit since API 1.39.
    if (pong.builder_version == "2" || has_buildkit(version.api_version)) builders.emplace_back("buildkit");
  }
  daemon.add("builders", "Builders", std::move(builders));
  daemon.add("storage_driver", "Storage driver", info.storage_driver);
  daemon.add("root_directory", "Root directory", info.root_dir);
  if (free_bytes) {
    daemon.add("free_space", "Free space there", human_size(static_cast<std::int64_t>(*free_bytes)));
    if (*free_bytes < scarce_bytes) {
      daemon.warn("the daemon's disk is almost full: " + human_size(static_cast<std::int64_t>(*free_bytes)) +
                      " are left in " + info.root_dir,
                  "dockline prune --all, or dockline rmi what is no longer needed");
    }
  }
  daemon.add("platform", "OS/Arch", version.os + "/" + version.arch);
  if (info.storage_driver == "vfs") {
    daemon.warn("the storage driver vfs copies every layer whole: slow, and the disk fills fast",
                "use overlay2 (podman: overlay), on a file system that can carry it");
  }
  if (!info.os_type.empty() && info.os_type != "linux")
    daemon.warn("the daemon runs containers of " + info.os_type, "switch it to Linux containers");
  for (const auto& text : info.warnings) {
    // dockerd begins them with a "WARNING: " of its own.
    daemon.warn("the daemon says: " + text.substr(text.starts_with("WARNING: ") ? 9 : 0), {});
  }
}

void check_contexts(const engine::docker_context_list& list, findings& contexts) {
  std::vector<std::string> shown;
  shown.reserve(list.contexts.size());
  for (const auto& one : list.contexts) shown.push_back(one.name + " (" + one.host + ")");
  contexts.add("contexts", "Contexts", std::move(shown));
  for (const auto& text : list.problems)
    contexts.warn("a docker context cannot be used: " + text,
                  "make it anew with `docker context create`, or remove its folder");
}

void check_credentials(const std::string& config_directory, const std::string& search_path,
                       findings& credentials) {
  if (config_directory.empty()) {
    credentials.warn("neither DOCKER_CONFIG nor HOME is set: no credentials are found", "set HOME");
    return;
  }
  const std::string path = config_directory + "/config.json";
  credentials.add("config_file", "Configuration", path);
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  credentials.add("exists", "Exists", exists);
  diagnostics why;
  engine::credential_store store;
  auto config = engine::read_config_file(config_directory, why);
  if (!config) {
    credentials.fail(describe(config.error(), why), "mend the file; every command that reads it fails");
    return;
  }
  store.config = std::move(*config);
  store.search_path = search_path;
  std::vector<std::string> known;
  known.reserve(store.config.auths.size());
  for (const auto& [registry, auth] : store.config.auths) known.push_back(registry);
  credentials.add("auths", "Passwords for", known);
  credentials.add("store", "Store", store.config.credentials_store);
  std::vector<std::string> helpers;
  std::set<std::string> programs;
  if (!store.config.credentials_store.empty()) programs.insert(store.config.credentials_store);
  for (const auto& [registry, helper] : store.config.credential_helpers) {
    helpers.push_back(registry + " (" + helper + ")");
    if (!helper.empty()) programs.insert(helper);
  }
  credentials.add("helpers", "Helpers", std::move(helpers));
  std::vector<std::string> found;
  for (const auto& name : programs) {
    std::string program = engine::find_credential_helper(store, name);
    if (!program.empty()) {
      found.push_back(std::move(program));
      continue;
    }
    credentials.warn("config.json names the credential helper \"" + name +
                         "\", but there is no program docker-credential-" + name +
                         " on PATH: its registries are spoken to without credentials",
                     "install it, or take it out of \"credsStore\" and \"credHelpers\" and log in again");
  }
  credentials.add("programs", "Programs", std::move(found));
  if (!known.empty() && exists && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
    credentials.warn(path + " holds passwords, and others may read it", "chmod 600 " + path);
  std::vector<std::string> proxies;
  proxies.reserve(store.config.proxies.size());
  for (const auto& [host, settings] : store.config.proxies) proxies.push_back(host);
  credentials.add("proxies", "Proxies for", std::move(proxies));
}

}  // namespace dockline::tool
