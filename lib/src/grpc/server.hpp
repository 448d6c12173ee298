#pragma once

// Serves calls on a connection: moves bytes between a stream and an h2::peer, and starts a handler for each
// call.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/stream.hpp"

#include "core/spawn.hpp"
#include "grpc/service.hpp"
#include "h2/peer.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace dockline::grpc {

struct server_options {
  server_options() = default;

  // The windows bound what is received and not read, the send buffer what is written and not sent, of each
  // call. There are at most twice as many handlers as streams may be open: those that were cancelled
  // count until they are over.
  h2::peer_limits limits;
  // Of a message that is received; what gRPC's own implementations begin with.
  std::size_t longest_message = std::size_t{4} << 20;
  // How long a peer that broke the rules may take to read that it did.
  std::chrono::milliseconds farewell{1000};
};

struct server_state;

// One connection. All of it happens on one executor, a strand where there are several threads; a handle,
// whose copies are the same connection.
class server {
 public:
  // `early`: bytes that were read from the connection already.
  server(asio::any_io_executor executor, std::unique_ptr<stream> connection, std::string early,
         service offered, server_options options = {});

  // Serves until the connection ends, and returns when no handler runs any more. To be called once.
  // Errors: none after close(); errc::connection_lost when the peer went away, errc::malformed_http2 when it
  // broke the rules; operation_aborted. `why` has the words.
  task<void> run(diagnostics& why);

  // Closes the connection; run() cancels the handlers and returns.
  void close() noexcept;

 private:
  std::shared_ptr<server_state> state_;
};

}  // namespace dockline::grpc
