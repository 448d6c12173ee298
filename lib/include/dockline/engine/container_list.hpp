#pragma once

// Containers that the daemon has: GET /containers/json, GET /containers/{id}/json, POST /containers/prune.

#include "dockline/engine/client.hpp"
#include "dockline/engine/filters.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// Which containers are listed, and what is told of them.
struct container_list_options {
  container_list_options() = default;

  bool all = false;   // also those that do not run
  int limit = 0;      // the newest so many, whether they run or not; 0: no limit
  bool size = false;  // tell the sizes, which takes the daemon a while
  // "status", "name", "label", "ancestor", "exited", "health", "network", …
  filter_map filters;
};

// A port of a container, and where the host shows it.
struct published_port {
  published_port() = default;

  std::string ip;        // of the host; empty when it is not published
  int private_port = 0;  // in the container
  int public_port = 0;   // on the host; 0 when it is not published
  std::string type;      // "tcp"
};

// A row of the list.
struct container_summary {
  container_summary() = default;

  std::string id;                             // 64 hexadecimal digits
  std::vector<std::string> names;             // "/web"
  std::string image;                          // as it was named
  std::string image_id;                       // "sha256:…"
  std::string command;                        // the program and its arguments: "sh -c 'make all'"
  std::int64_t created = 0;                   // seconds since 1970
  std::vector<published_port> ports;          // of the container, published or not
  std::map<std::string, std::string> labels;  // the image's and its own
  std::string state;                          // "running", "exited"
  std::string status;                         // "Up 2 hours"
  std::int64_t size_rw = -1;                  // bytes of what it wrote; -1: not asked for
  std::int64_t size_root_fs = -1;             // bytes with its image; -1: not asked for
};

// What the daemon knows of one container.
struct container_info {
  container_info() = default;

  std::string id;                             // 64 hexadecimal digits
  std::string name;                           // "/web"
  std::string created;                        // RFC 3339
  std::string image;                          // as it was named
  std::string image_id;                       // "sha256:…" of the image; the API calls it Image
  std::string path;                           // of the program
  std::vector<std::string> args;              // of the program
  std::map<std::string, std::string> labels;  // the image's and its own
  bool tty = false;                           // it writes one raw stream
  bool open_stdin = false;                    // its standard input stays open for an attachment
  std::string status;       // "created", "running", "paused", "restarting", "exited", "dead"
  bool running = false;     // dockerd: also while it is paused
  bool oom_killed = false;  // the kernel ended it, for its memory
  std::int64_t pid = 0;     // on the daemon's host; 0 when it does not run
  int exit_code = 0;        // of the last run
  std::string error;        // why it could not be started
  std::string started_at;   // RFC 3339
  std::string finished_at;  // RFC 3339; year 1 when it has not
  std::string health;       // "healthy", "unhealthy", "starting"; empty: not checked
  std::string raw;          // the daemon's answer as it came: JSON
};

// What a prune removed.
struct containers_pruned {
  containers_pruned() = default;

  std::vector<std::string> deleted;  // ids
  std::int64_t space_reclaimed = 0;  // bytes
};

DOCKLINE_API void start_container_list(client daemon, container_list_options options, diagnostics* why,
                                       completion_handler<std::vector<container_summary>> handler);
DOCKLINE_API void start_container_inspect(client daemon, std::string id, diagnostics* why,
                                          completion_handler<container_info> handler);
DOCKLINE_API void start_container_prune(client daemon, filter_map filters, diagnostics* why,
                                        completion_handler<containers_pruned> handler);

// Lists the containers that run, or all.
//
// Completion: when the answer is there.
// Signature: void(error_code, std::vector<container_summary>).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once.
// Errors: errc::bad_request for a filter that the daemon does not know; those of async_ping;
// errc::malformed_json.
// Source: Docker Engine API, ContainerList, since 1.0.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_container_list(const client& daemon, container_list_options options, diagnostics& why,
                          Token&& token = {}) {
  return initiate<std::vector<container_summary>>(&start_container_list, std::forward<Token>(token), &why,
                                                  daemon, std::move(options));
}
template <class Token = default_token>
auto async_container_list(const client& daemon, container_list_options options, Token&& token = {}) {
  return initiate<std::vector<container_summary>>(&start_container_list, std::forward<Token>(token), nullptr,
                                                  daemon, std::move(options));
}

// Reads what the daemon knows of a container, named by id or name.
//
// Completion: when the answer is there.
// Signature: void(error_code, container_info).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once.
// Errors: errc::not_found; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ContainerInspect, since 1.0.
// Example: tools/commands/inspect.cpp.
template <class Token = default_token>
auto async_container_inspect(const client& daemon, std::string id, diagnostics& why, Token&& token = {}) {
  return initiate<container_info>(&start_container_inspect, std::forward<Token>(token), &why, daemon,
                                  std::move(id));
}
template <class Token = default_token>
auto async_container_inspect(const client& daemon, std::string id, Token&& token = {}) {
  return initiate<container_info>(&start_container_inspect, std::forward<Token>(token), nullptr, daemon,
                                  std::move(id));
}

// Removes all containers that do not run. The filters are "until" (a time or a duration: "24h"), and "label" and
// "label!" (since API 1.29).
//
// Completion: when they are removed.
// Signature: void(error_code, containers_pruned).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; what is removed by then is gone.
// Errors: errc::bad_request for a filter that the daemon does not know; errc::conflict while another prune
// runs; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ContainerPrune, since 1.25.
// Example: tools/commands/prune.cpp.
template <class Token = default_token>
auto async_container_prune(const client& daemon, filter_map filters, diagnostics& why, Token&& token = {}) {
  return initiate<containers_pruned>(&start_container_prune, std::forward<Token>(token), &why, daemon,
                                     std::move(filters));
}
template <class Token = default_token>
auto async_container_prune(const client& daemon, filter_map filters, Token&& token = {}) {
  return initiate<containers_pruned>(&start_container_prune, std::forward<Token>(token), nullptr, daemon,
                                     std::move(filters));
}

}  // namespace dockline::engine
