#pragma once

// Containers, as far as it takes to run an image: create, start, wait, logs, kill, remove. What they write
// while they run is read by an attachment (attach.hpp); run.hpp puts it all together.

#include "dockline/engine/client.hpp"
#include "dockline/progress/event.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::engine {

// Makes a port of the container reachable from the host, as in `docker run -p`.
struct port_binding {
  port_binding() = default;

  std::string container_port;  // "80/tcp"
  std::string host_ip;         // empty: every address
  std::string host_port;       // empty: one that the daemon picks
};

// What a container is created from.
struct container_options {
  container_options() = default;

  std::string image;                                   // reference or id
  std::string name;                                    // empty: the daemon makes one up
  std::vector<std::string> cmd;                        // empty: the image's
  std::optional<std::vector<std::string>> entrypoint;  // absent: the image's
  std::vector<std::string> env;               // "NAME=value"; "NAME" alone takes the image's value away
  std::map<std::string, std::string> labels;  // metadata: {"org.example.job", "17"}
  std::string working_dir;                    // empty: the image's
  std::string user;                           // "1000:1000", "nobody"; empty: the image's
  bool tty = false;                           // one raw stream instead of two multiplexed ones
  bool open_stdin = false;                    // standard input stays open until the attached client closes it
  // The daemon removes the container when it ends. Since API 1.25, ignored below.
  bool auto_remove = false;
  std::vector<std::string> binds;   // "/host/path:/path[:ro]" or "volume:/path"
  std::vector<port_binding> ports;  // which of its ports the host shows
  std::string network_mode;         // "bridge", "host", "none" or a network's name
  std::string platform;             // "linux/amd64". Since API 1.41
};

// What was created.
struct container_created {
  container_created() = default;

  std::string id;  // 64 hexadecimal digits
  // What the daemon could not give it: "Your kernel does not support swap limit capabilities".
  std::vector<std::string> warnings;
};

// How a container ended.
struct container_exit {
  container_exit() = default;

  int status = 0;     // of the process; 128 + N when signal N ended it
  std::string error;  // what the daemon says went wrong with the waiting itself, usually empty
};

// Which part of a container's log is read.
struct logs_options {
  logs_options() = default;

  bool out = true;          // its standard output
  bool err = true;          // its standard error
  bool follow = false;      // goes on until the container ends
  bool timestamps = false;  // RFC 3339 in front of each line
  std::string tail;         // so many lines from the end; empty: all
  // From when on, to the second, rounded outwards. Empty: no bound.
  std::optional<std::chrono::system_clock::time_point> since;
  // Until when; the same rounding, and empty is no bound. Since API 1.35.
  std::optional<std::chrono::system_clock::time_point> until;
  bool tty = false;  // as the container was created: one raw stream
};

// How a container is removed.
struct remove_options {
  remove_options() = default;

  bool force = false;    // kills it first when it runs
  bool volumes = false;  // with its anonymous volumes
};

// Called with what a container wrote, cut anywhere, on the operation's executor. It may not block, nor throw.
using output_sink = std::function<void(progress::output_stream stream, std::string_view bytes)>;

DOCKLINE_API void start_container_create(client daemon, container_options options, diagnostics* why,
                                         completion_handler<container_created> handler);
DOCKLINE_API void start_container_start(client daemon, std::string id, diagnostics* why,
                                        completion_handler<void> handler);
DOCKLINE_API void start_container_wait(client daemon, std::string id, diagnostics* why,
                                       completion_handler<container_exit> handler);
DOCKLINE_API void start_container_logs(client daemon, std::string id, logs_options options, output_sink sink,
                                       diagnostics* why, completion_handler<void> handler);
DOCKLINE_API void start_container_kill(client daemon, std::string id, std::string signal, diagnostics* why,
                                       completion_handler<void> handler);
DOCKLINE_API void start_container_remove(client daemon, std::string id, remove_options options,
                                         diagnostics* why, completion_handler<void> handler);

// Creates a container that does not run yet.
//
// Completion: when the daemon has made it.
// Signature: void(error_code, container_created).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; the daemon may have made it all the same.
// Errors: errc::not_found when the image is missing; errc::conflict when the name is taken;
// errc::bad_request; errc::unsupported_parameter for `platform` before API 1.41; those of async_ping;
// errc::malformed_json.
// Source: Docker Engine API, ContainerCreate, since 1.0.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_container_create(const client& daemon, container_options options, diagnostics& why,
                            Token&& token = {}) {
  return initiate<container_created>(&start_container_create, std::forward<Token>(token), &why, daemon,
                                     std::move(options));
}
template <class Token = default_token>
auto async_container_create(const client& daemon, container_options options, Token&& token = {}) {
  return initiate<container_created>(&start_container_create, std::forward<Token>(token), nullptr, daemon,
                                     std::move(options));
}

// Starts a created or stopped container.
//
// Completion: when its process runs.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; it may have been started all the same.
// Errors: errc::not_found; errc::bad_request or errc::service_failed when the command cannot be run; those of
// async_ping. A container that runs already is no error.
// Source: Docker Engine API, ContainerStart, since 1.0.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_container_start(const client& daemon, std::string id, diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_container_start, std::forward<Token>(token), &why, daemon, std::move(id));
}
template <class Token = default_token>
auto async_container_start(const client& daemon, std::string id, Token&& token = {}) {
  return initiate<void>(&start_container_start, std::forward<Token>(token), nullptr, daemon, std::move(id));
}

// Waits until a container does not run; one that ended before is answered at once.
//
// Completion: when it ended; there is no deadline.
// Signature: void(error_code, container_exit).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; the container goes on.
// Errors: errc::not_found; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ContainerWait, since 1.0.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_container_wait(const client& daemon, std::string id, diagnostics& why, Token&& token = {}) {
  return initiate<container_exit>(&start_container_wait, std::forward<Token>(token), &why, daemon,
                                  std::move(id));
}
template <class Token = default_token>
auto async_container_wait(const client& daemon, std::string id, Token&& token = {}) {
  return initiate<container_exit>(&start_container_wait, std::forward<Token>(token), nullptr, daemon,
                                  std::move(id));
}

// Hands what a container wrote so far, or writes, to `sink`.
//
// Completion: at the end of the log.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion, `sink` is kept.
// Cancellation: any type, at once.
// Errors: errc::not_found; errc::unsupported_parameter for `until` before API 1.35; errc::malformed_stream;
// those of async_ping.
// Source: Docker Engine API, ContainerLogs, since 1.11.
// Example: tools/commands/logs.cpp.
template <class Token = default_token>
auto async_container_logs(const client& daemon, std::string id, logs_options options, output_sink sink,
                          diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_container_logs, std::forward<Token>(token), &why, daemon, std::move(id),
                        std::move(options), std::move(sink));
}
template <class Token = default_token>
auto async_container_logs(const client& daemon, std::string id, logs_options options, output_sink sink,
                          Token&& token = {}) {
  return initiate<void>(&start_container_logs, std::forward<Token>(token), nullptr, daemon, std::move(id),
                        std::move(options), std::move(sink));
}

// Sends a signal ("KILL", "SIGINT", "9"; empty: KILL) to a container's process.
//
// Completion: when it was sent.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; it may have been sent all the same.
// Errors: errc::not_found; errc::conflict when it does not run; those of async_ping.
// Source: Docker Engine API, ContainerKill, since 1.0.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_container_kill(const client& daemon, std::string id, std::string signal, diagnostics& why,
                          Token&& token = {}) {
  return initiate<void>(&start_container_kill, std::forward<Token>(token), &why, daemon, std::move(id),
                        std::move(signal));
}
template <class Token = default_token>
auto async_container_kill(const client& daemon, std::string id, std::string signal, Token&& token = {}) {
  return initiate<void>(&start_container_kill, std::forward<Token>(token), nullptr, daemon, std::move(id),
                        std::move(signal));
}

// Removes a container.
//
// Completion: when it is gone.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; it may have been removed all the same.
// Errors: errc::not_found; errc::conflict when it runs, or is being removed already; those of async_ping.
// Source: Docker Engine API, ContainerDelete, since 1.0.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_container_remove(const client& daemon, std::string id, remove_options options, diagnostics& why,
                            Token&& token = {}) {
  return initiate<void>(&start_container_remove, std::forward<Token>(token), &why, daemon, std::move(id),
                        options);
}
template <class Token = default_token>
auto async_container_remove(const client& daemon, std::string id, remove_options options,
                            Token&& token = {}) {
  return initiate<void>(&start_container_remove, std::forward<Token>(token), nullptr, daemon, std::move(id),
                        options);
}

}  // namespace dockline::engine
