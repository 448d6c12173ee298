#pragma once

// What the daemon is: GET /_ping, GET /version and GET /info.

#include "dockline/engine/client.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// What /_ping answers with. Whatever the daemon did not say is empty.
struct ping_result {
  ping_result() = default;

  std::string api_version;         // the newest that the daemon speaks: "1.41"
  std::string os_type;             // "linux"
  std::string builder_version;     // the builder it prefers: "1" classic, "2" BuildKit
  std::string server;              // "Docker/20.10.24+dfsg1 (linux)"
  std::string libpod_version;      // not empty when the daemon is podman
  std::string negotiated_version;  // what this client speaks with it
  bool experimental = false;       // the daemon's experimental features are on
};

// What /version answers with.
struct version_result {
  version_result() = default;

  std::string version;          // of the daemon: "20.10.24+dfsg1"
  std::string api_version;      // newest: "1.41"
  std::string min_api_version;  // oldest: "1.12"
  std::string os;               // "linux"
  std::string arch;             // "amd64"
  std::string kernel_version;   // "6.1.0-18-amd64"
  std::string git_commit;       // of the daemon's source: "5df983c"
  std::string go_version;       // that it was compiled with: "go1.19.8"
  std::string build_time;       // of the daemon; RFC 3339 from dockerd
  std::string platform_name;    // "Docker Engine - Community", "" or podman's
};

// What /info answers with, as far as it is the same on every engine. Whatever the daemon did not say is
// empty.
struct system_info {
  system_info() = default;

  std::string id;                                // the daemon's own, made up when it was installed
  std::string name;                              // of the host
  std::string server_version;                    // "20.10.24+dfsg1"
  std::string operating_system;                  // "Debian GNU/Linux 12 (bookworm)"
  std::string os_type;                           // "linux"
  std::string architecture;                      // "x86_64"
  std::string kernel_version;                    // "6.1.0-18-amd64"
  int cpus = 0;                                  // NCPU of the API
  std::int64_t memory = 0;                       // bytes
  std::string root_dir;                          // where the daemon keeps its data
  std::string storage_driver;                    // "overlay2"; Driver of the API
  std::string logging_driver;                    // "json-file"
  std::string cgroup_driver;                     // "systemd", "cgroupfs", "none"
  std::string cgroup_version;                    // "2"
  std::string default_runtime;                   // "runc"
  std::vector<std::string> runtimes;             // names: "io.containerd.runc.v2", "runc"
  std::vector<std::string> security_options;     // "name=seccomp,profile=default"
  std::vector<std::string> insecure_registries;  // hosts and networks that are spoken to without TLS
  std::vector<std::string> registry_mirrors;     // URLs that are asked before Docker Hub
  std::vector<std::string> warnings;             // what the daemon finds wrong with its host
  int containers = 0;                            // in any state
  int containers_running = 0;                    // of them, those that run
  int containers_paused = 0;                     // those that are paused
  int containers_stopped = 0;                    // those that ended or were never started
  int images = 0;                                // how many the daemon has
  std::string raw;                               // the daemon's answer as it came: JSON
};

DOCKLINE_API void start_ping(client daemon, diagnostics* why, completion_handler<ping_result> handler);
DOCKLINE_API void start_version(client daemon, diagnostics* why, completion_handler<version_result> handler);

DOCKLINE_API void start_info(client daemon, diagnostics* why, completion_handler<system_info> handler);

// Asks the daemon whether it is there and which API versions it speaks; needs no negotiated version.
//
// Completion: when the answer is there.
// Signature: void(error_code, ping_result).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::invalid_address and errc::invalid_argument for options that cannot be used;
// errc::cannot_connect, errc::no_permission, errc::tls_failed, errc::timed_out, errc::connection_lost on the
// way; errc::malformed_http, errc::message_too_long and errc::unexpected_answer for an answer that is none; the
// codes that stand for the daemon's status, from errc::bad_request to errc::refused; of operations that need a
// version of the API also errc::version_too_old.
// Source: Docker Engine API, SystemPing, since 1.0 (the version headers since 1.25).
// Example: tools/commands/ping.cpp.
template <class Token = default_token>
auto async_ping(const client& daemon, diagnostics& why, Token&& token = {}) {
  return initiate<ping_result>(&start_ping, std::forward<Token>(token), &why, daemon);
}
template <class Token = default_token>
auto async_ping(const client& daemon, Token&& token = {}) {
  return initiate<ping_result>(&start_ping, std::forward<Token>(token), nullptr, daemon);
}

// Asks the daemon for its versions.
//
// Completion: when the answer is there.
// Signature: void(error_code, version_result).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once; the connection is closed.
// Errors: those of async_ping; errc::malformed_json.
// Source: Docker Engine API, SystemVersion, since 1.0.
// Example: docs/guide/embedding.md.
template <class Token = default_token>
auto async_version(const client& daemon, diagnostics& why, Token&& token = {}) {
  return initiate<version_result>(&start_version, std::forward<Token>(token), &why, daemon);
}
template <class Token = default_token>
auto async_version(const client& daemon, Token&& token = {}) {
  return initiate<version_result>(&start_version, std::forward<Token>(token), nullptr, daemon);
}

// Asks the daemon what it is, how it is set up and what it has.
//
// Completion: when the answer is there.
// Signature: void(error_code, system_info).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once; the connection is closed.
// Errors: those of async_ping; errc::malformed_json.
// Source: Docker Engine API, SystemInfo, since 1.0.
// Example: tools/commands/info.cpp.
template <class Token = default_token>
auto async_info(const client& daemon, diagnostics& why, Token&& token = {}) {
  return initiate<system_info>(&start_info, std::forward<Token>(token), &why, daemon);
}
template <class Token = default_token>
auto async_info(const client& daemon, Token&& token = {}) {
  return initiate<system_info>(&start_info, std::forward<Token>(token), nullptr, daemon);
}

}  // namespace dockline::engine
