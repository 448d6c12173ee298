#pragma once

#include "dockline/core/stream.hpp"
#include "dockline/engine/attach.hpp"

#include "core/spawn.hpp"
#include "engine/endpoint.hpp"

#include <memory>
#include <string>

namespace dockline::engine {

struct attachment_state {
  asio::any_io_executor executor;  // the client's strand
  std::unique_ptr<stream> connection;
  std::string early;  // what came together with the head of the answer
  bool tty = false;
  error_code input_failure;  // none is forwarded any more, and the container waits for it

  ~attachment_state() {
    if (connection) connection->close();
  }
};

// Sends a request whose answer hands the connection over, and wraps it.
task<attachment> take_over(std::shared_ptr<client_state> state, endpoint what, bool tty, diagnostics& why);

// The bodies of the operations, for run.cpp.
task<attachment> attach(std::shared_ptr<client_state> state, std::string id, attach_options options,
                        diagnostics& why);
task<void> run_attachment(attachment streams, std::shared_ptr<byte_source> input, output_sink sink,
                          diagnostics& why);

}  // namespace dockline::engine
