#pragma once

// An image is run from start to end: create, attach, start, read, wait, remove.

#include "dockline/engine/attach.hpp"

#include <memory>
#include <string>
#include <utility>

namespace dockline::engine {

// What is run, and how.
struct run_options {
  run_options() = default;

  // What the container is created from.
  container_options container;
  // Remove the container, with its anonymous volumes, when it ended, was cancelled or could not be started. The same as
  // container.auto_remove, which the daemon itself would act upon before it could be asked for the status.
  bool remove = false;
  // Standard input of the container; null: none. Sets container.open_stdin.
  std::shared_ptr<byte_source> input;
};

// How the container ended.
struct run_result {
  run_result() = default;

  std::string id;                     // of the container
  int status = 0;                     // of its process; 128 + N when signal N ended it
  std::vector<std::string> warnings;  // what the daemon said when the container was made
};

DOCKLINE_API void start_run(client daemon, run_options options, output_sink sink, diagnostics* why,
                            completion_handler<run_result> handler);

// Runs a container to its end, what it writes going to `sink` from its first byte on.
//
// Completion: when the container ended and, if asked for, is removed. A status other than 0 is no error. What it wrote
// comes over a connection that tells no length: one that something on the way closes in the middle looks like the end
// of the output, and the status is the container's all the same. A reset is an error, unless there is input.
// Signature: void(error_code, run_result).
// Lifetimes: `why` stays until completion; the rest is kept.
// Cancellation: any type. The container is killed, and removed if asked for, before the operation completes, as far as
// the daemon does it. If it is to be removed and is just being made, the daemon is given five seconds to tell its id.
// A second cancellation ends all of that.
// Errors: those of async_container_create, async_container_attach, async_container_start, async_attachment_run and
// async_container_wait. The container is removed if asked for; otherwise it stays, and may run.
// Source: docker CLI, container run: the order of ContainerCreate, ContainerAttach, ContainerStart,
// ContainerWait and ContainerDelete.
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_run(const client& daemon, run_options options, output_sink sink, diagnostics& why,
               Token&& token = {}) {
  return initiate<run_result>(&start_run, std::forward<Token>(token), &why, daemon, std::move(options),
                              std::move(sink));
}
template <class Token = default_token>
auto async_run(const client& daemon, run_options options, output_sink sink, Token&& token = {}) {
  return initiate<run_result>(&start_run, std::forward<Token>(token), nullptr, daemon, std::move(options),
                              std::move(sink));
}

}  // namespace dockline::engine
