#pragma once

// A container's standard streams, live: POST /containers/{id}/attach, upgraded.

#include "dockline/core/byte_source.hpp"
#include "dockline/engine/containers.hpp"

#include <memory>
#include <string>
#include <utility>

namespace dockline::engine {

// Which streams of a container are connected to.
struct attach_options {
  attach_options() = default;

  bool out = true;   // its standard output
  bool err = true;   // its standard error
  bool in = false;   // the container was created with open_stdin
  bool tty = false;  // as the container was created: one raw stream, all of it `out`
};

struct attachment_state;

// The connection to a container's streams. Made by async_container_attach; dropping it detaches.
class DOCKLINE_API attachment {
 public:
  attachment() = default;
  // What async_container_attach() and async_exec_start() make.
  explicit attachment(std::shared_ptr<attachment_state> state) : state_(std::move(state)) {}

  // What async_attachment_run() is compiled against.
  const std::shared_ptr<attachment_state>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<attachment_state> state_;
};

DOCKLINE_API void start_container_attach(client daemon, std::string id, attach_options options,
                                         diagnostics* why, completion_handler<attachment> handler);
DOCKLINE_API void start_attachment_run(attachment streams, std::shared_ptr<byte_source> input,
                                       output_sink sink, diagnostics* why, completion_handler<void> handler);

// Connects to the streams of a container, before it is started or while it runs.
//
// Completion: when the connection is the container's; what it writes from then on is not lost.
// Signature: void(error_code, attachment).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::not_found; errc::unexpected_answer when the daemon does not upgrade; those of async_ping.
// Source: Docker Engine API, ContainerAttach, since 1.0.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_container_attach(const client& daemon, std::string id, attach_options options, diagnostics& why,
                            Token&& token = {}) {
  return initiate<attachment>(&start_container_attach, std::forward<Token>(token), &why, daemon,
                              std::move(id), options);
}
template <class Token = default_token>
auto async_container_attach(const client& daemon, std::string id, attach_options options,
                            Token&& token = {}) {
  return initiate<attachment>(&start_container_attach, std::forward<Token>(token), nullptr, daemon,
                              std::move(id), options);
}

// Hands what the container writes to `sink`, and the bytes of `input` to the container; at the end of `input`
// its standard input is closed, and reading goes on. To be run once for each attachment.
//
// Completion: when the container closed its streams. An input that could not be delivered any more is no
// error. The streams tell no length: a connection that something on the way closes in their middle ends like one that
// the container has done with, and where there is input a reset does, too.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion; the rest is kept. `input` may be null.
// Cancellation: any type, at once; the container goes on. It is let go when the last copy of `streams` is gone;
// nothing else can be done with them by then. No deadline holds.
// Errors: errc::invalid_argument for an attachment that is not connected; errc::malformed_stream;
// errc::connection_lost.
// Source: Docker Engine API, ContainerAttach, "Stream format".
// Example: docs/guide/running.md.
template <class Token = default_token>
auto async_attachment_run(const attachment& streams, std::shared_ptr<byte_source> input, output_sink sink,
                          diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_attachment_run, std::forward<Token>(token), &why, streams, std::move(input),
                        std::move(sink));
}
template <class Token = default_token>
auto async_attachment_run(const attachment& streams, std::shared_ptr<byte_source> input, output_sink sink,
                          Token&& token = {}) {
  return initiate<void>(&start_attachment_run, std::forward<Token>(token), nullptr, streams, std::move(input),
                        std::move(sink));
}

}  // namespace dockline::engine
