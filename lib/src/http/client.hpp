#pragma once

#include "http/dial.hpp"
#include "http/exchange.hpp"

#include <memory>
#include <string>
#include <vector>

namespace dockline::http {

// Connections to one place, kept for the next request. Everything runs on `executor`, one strand.
class client {
 public:
  // `peer` is what the words call the other side.
  client(asio::any_io_executor executor, dialer dial, std::string peer = "the daemon");

  const asio::any_io_executor& get_executor() const noexcept { return executor_; }

  // Sends the request on a kept or a new connection and returns when the head of the answer is there. A kept
  // connection that the daemon closed meanwhile is replaced, and the request repeated, as long as no byte of
  // an answer came, and the request changes nothing or did not go out; a streamed body, which could not be
  // repeated, gets a new connection at once.
  task<std::unique_ptr<exchange>> start(request what, deadlines limits, diagnostics& why);

  // Keeps the connection of an exchange that is done, if it may serve again.
  void give_back(exchange& over);

 private:
  asio::any_io_executor executor_;
  dialer dial_;
  std::string peer_;
  std::vector<std::unique_ptr<stream>> idle_;
};

}  // namespace dockline::http
