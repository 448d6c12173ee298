#pragma once

// What the handler's and the connection's side of a call share.

#include "core/byte_queue.hpp"
#include "core/spawn.hpp"
#include "grpc/metadata.hpp"
#include "grpc/service.hpp"
#include "grpc/status.hpp"
#include "grpc/wake_up.hpp"
#include "grpc/wire.hpp"
#include "h2/peer.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace dockline::grpc {

struct server_state;

struct call_state {
  call_state(std::weak_ptr<server_state> where, const asio::any_io_executor& own, h2::stream_id which,
             std::size_t longest)
      : line(std::move(where)),
        executor(own),
        stream(which),
        decoder(longest),
        readable(own),
        writable(own),
        deadline(own) {}

  // The other way round it is shared: the connection goes with the coroutine that serves it.
  std::weak_ptr<server_state> line;
  asio::any_io_executor executor;
  h2::stream_id stream;
  std::string path;
  metadata request;

  byte_queue incoming;  // received and not decoded, bounded by the stream's window
  message_decoder decoder;
  bool all_received = false;
  wake_up readable;

  wake_up writable;
  bool headers_sent = false;
  bool secret = false;
  bool inside_message = false;  // a message is half written
  h2::fields trailers;

  asio::steady_timer deadline;
  asio::cancellation_signal stop;
  bool ended = false;  // reset, out of time, or the connection is gone
  bool out_of_time = false;
  bool finished = false;  // the handler is over
  status broken;          // what is wrong with the peer's messages, which is then the call's status

  // Has the handler's waits end.
  void end() {
    if (ended || finished) return;
    ended = true;
    readable.notify();
    writable.notify();
    stop.emit(asio::cancellation_type::terminal);
  }
};

}  // namespace dockline::grpc
