#pragma once

#include "dockline/core/stream.hpp"

#include "grpc/call_state.hpp"
#include "grpc/server.hpp"
#include "grpc/wake_up.hpp"
#include "h2/peer.hpp"

#include <map>
#include <memory>
#include <string>

namespace dockline::grpc {

// A connection, its reading and its writing coroutine, and its calls. Everything on `executor`.
struct server_state : std::enable_shared_from_this<server_state> {
  server_state(asio::any_io_executor where, std::unique_ptr<stream> own, std::string already_read,
               service what, server_options bounds);
  ~server_state();

  task<void> run(diagnostics& why);
  void close() noexcept;

  // For calls.
  void send_headers(call_state& one);
  std::size_t send(call_state& one, std::string_view bytes);
  void consume(call_state& one, std::size_t bytes);
  void finish(call_state& one, status outcome);

  asio::any_io_executor executor;
  std::unique_ptr<stream> connection;
  std::string early;
  service offered;
  server_options options;
  h2::peer peer;
  // Those whose handler is not over, also when their stream is.
  std::map<h2::stream_id, std::shared_ptr<call_state>> calls;

 private:
  task<void> read_all();
  task<void> write_all();
  void handle_events();
  void handle(h2::event& what);
  void begin(h2::stream_id stream, const h2::fields& headers);
  void start(std::shared_ptr<call_state> one, handler does);
  void refuse(h2::stream_id stream, const status& why);
  void note(error_code code, std::string words);  // the first one counts
  void fail(error_code code, std::string words);

  wake_up to_write_;
  wake_up idle_;  // notified when the last call is over
  bool closed_ = false;
  error_code failure_;
  std::string words_;
};

}  // namespace dockline::grpc
