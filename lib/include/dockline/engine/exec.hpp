#pragma once

// A further program in a container that runs: POST /containers/{id}/exec, POST /exec/{id}/start,
// GET /exec/{id}/json.

#include "dockline/engine/attach.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// The program that is added to a container.
struct exec_options {
  exec_options() = default;

  std::vector<std::string> cmd;  // the program and its arguments
  std::vector<std::string> env;  // "NAME=value". Since API 1.25
  std::string working_dir;       // empty: the container's. Since API 1.35
  std::string user;              // empty: the container's
  bool privileged = false;       // with extended privileges
  bool tty = false;              // one raw stream instead of two multiplexed ones
  bool in = false;               // the program gets what the attachment sends
  bool out = true;               // its standard output is attached
  bool err = true;               // its standard error is attached
};

// How a program that was added to a container is.
struct exec_info {
  exec_info() = default;

  std::string id;                // 64 hexadecimal digits
  std::string container_id;      // of the container that it is in
  bool running = false;          // it was started and has not ended
  std::optional<int> exit_code;  // empty while it runs
  std::int64_t pid = 0;          // on the daemon's host; 0 when it does not run
};

DOCKLINE_API void start_exec_create(client daemon, std::string container, exec_options options,
                                    diagnostics* why, completion_handler<std::string> handler);
DOCKLINE_API void start_exec_start(client daemon, std::string id, bool tty, diagnostics* why,
                                   completion_handler<attachment> handler);
DOCKLINE_API void start_exec_start_detached(client daemon, std::string id, diagnostics* why,
                                            completion_handler<void> handler);
DOCKLINE_API void start_exec_inspect(client daemon, std::string id, diagnostics* why,
                                     completion_handler<exec_info> handler);

// Prepares a program for a container that runs. It is not started yet.
//
// Completion: when the daemon has told its id.
// Signature: void(error_code, std::string).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; it may have been made all the same, which nobody notices.
// Errors: errc::invalid_argument without a program; errc::not_found; errc::conflict when the container does not
// run or is paused; errc::unsupported_parameter for `env` before API 1.25 and for `working_dir` before 1.35;
// those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ContainerExec, since 1.15.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_exec_create(const client& daemon, std::string container, exec_options options, diagnostics& why,
                       Token&& token = {}) {
  return initiate<std::string>(&start_exec_create, std::forward<Token>(token), &why, daemon,
                               std::move(container), std::move(options));
}
template <class Token = default_token>
auto async_exec_create(const client& daemon, std::string container, exec_options options,
                       Token&& token = {}) {
  return initiate<std::string>(&start_exec_create, std::forward<Token>(token), nullptr, daemon,
                               std::move(container), std::move(options));
}

// Starts the program and connects to its streams, to be read with async_attachment_run. `tty` is what it was
// created with.
//
// Completion: when the connection is the program's. A program that cannot be started may also be told as its
// output, with the exit code 126 or 127.
// Signature: void(error_code, attachment).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; the connection is closed and the program goes on.
// Errors: errc::not_found; errc::conflict when it ran already; errc::unexpected_answer when the daemon does
// not upgrade; those of async_ping.
// Source: Docker Engine API, ExecStart, since 1.15.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_exec_start(const client& daemon, std::string id, bool tty, diagnostics& why, Token&& token = {}) {
  return initiate<attachment>(&start_exec_start, std::forward<Token>(token), &why, daemon, std::move(id),
                              tty);
}
template <class Token = default_token>
auto async_exec_start(const client& daemon, std::string id, bool tty, Token&& token = {}) {
  return initiate<attachment>(&start_exec_start, std::forward<Token>(token), nullptr, daemon, std::move(id),
                              tty);
}

// Starts the program and lets it be; nobody reads what it writes.
//
// Completion: when it was started.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; it may have been started all the same.
// Errors: errc::not_found; errc::conflict when it ran already; those of async_ping.
// Source: Docker Engine API, ExecStart, since 1.15.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_exec_start_detached(const client& daemon, std::string id, diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_exec_start_detached, std::forward<Token>(token), &why, daemon, std::move(id));
}
template <class Token = default_token>
auto async_exec_start_detached(const client& daemon, std::string id, Token&& token = {}) {
  return initiate<void>(&start_exec_start_detached, std::forward<Token>(token), nullptr, daemon,
                        std::move(id));
}

// Reads how the program is: its exit code once it ended.
//
// Completion: when the answer is there.
// Signature: void(error_code, exec_info).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once.
// Errors: errc::not_found, which dockerd answers some minutes after the program ended; those of async_ping;
// errc::malformed_json.
// Source: Docker Engine API, ExecInspect, since 1.16.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_exec_inspect(const client& daemon, std::string id, diagnostics& why, Token&& token = {}) {
  return initiate<exec_info>(&start_exec_inspect, std::forward<Token>(token), &why, daemon, std::move(id));
}
template <class Token = default_token>
auto async_exec_inspect(const client& daemon, std::string id, Token&& token = {}) {
  return initiate<exec_info>(&start_exec_inspect, std::forward<Token>(token), nullptr, daemon, std::move(id));
}

}  // namespace dockline::engine
