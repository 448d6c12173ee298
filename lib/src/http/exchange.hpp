#pragma once

#include "dockline/core/byte_source.hpp"
#include "dockline/core/stream.hpp"

#include "core/pending.hpp"
#include "core/spawn.hpp"
#include "http/exchange_log.hpp"
#include "http/message.hpp"
#include "http/watchdog.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dockline::http {

// How long the phases of an exchange may take; zero is no limit.
struct deadlines {
  deadlines() = default;

  std::chrono::milliseconds connect{10'000};  // until the connection stands
  std::chrono::milliseconds head{0};          // from the whole request sent to the whole head received
  std::chrono::milliseconds idle{0};          // without a byte in either direction
  std::chrono::milliseconds total{0};         // from the first byte sent to the last one received
};

// A piece of a body, and what keeps it in memory.
struct body_part {
  body_part() = default;
  body_part(std::shared_ptr<const void> owner, asio::const_buffer what)
      : keep(std::move(owner)), bytes(what) {}

  std::shared_ptr<const void> keep;
  asio::const_buffer bytes;
};

struct request {
  request() = default;

  request_head head;
  std::string body;  // sent when there is neither a source nor parts
  // Sent one after the other when there is no source: bytes that are shared and not copied, however often the
  // request is sent.
  std::vector<body_part> parts;
  std::shared_ptr<byte_source> source;  // streamed: chunked unless it knows its size
  // With each block of the source: the bytes that were sent before it, and at the end all of them. Called
  // while no read of the source is under way.
  std::function<void(std::uint64_t bytes, bool complete)> on_sent;
  exchange_observer observer;  // null: nobody looks
  std::uint64_t number = 0;    // what the observer knows it by
};

// One request and its answer on a connection. The answer is read while the body is still being sent: when the
// daemon answers early and closes, its answer counts, and not the write error.
//
// Everything runs on `executor`. Dropping the exchange before done() closes the connection, which
// is how an operation of the Docker API is cancelled on the daemon's side too.
class exchange {
 public:
  // `peer` is what the words call the other side.
  exchange(asio::any_io_executor executor, std::unique_ptr<stream> connection, deadlines limits,
           std::string peer = "the daemon");
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  ~exchange();

  // Sends the request and returns when the head of the answer is there; the body may still be on its way.
  // Errors: those of the source (`why` has its words), of message.hpp, errc::connection_lost,
  // errc::timed_out.
  task<void> start(request what, diagnostics& why);

  const response_head& head() const noexcept { return decoder_.head(); }

  // The next bytes of the body, at least one; empty at the end. Valid until the next call.
  task<std::string_view> read_some(diagnostics& why);

  // All that is left of the body. Errors: errc::message_too_long above `limit` bytes.
  task<std::string> read_all(std::size_t limit, diagnostics& why);

  bool done() const noexcept { return decoder_.done(); }
  // Whether any byte of an answer came: a request on a stale connection may be repeated only if none did.
  bool got_some() const noexcept { return got_some_; }
  // Whether any byte of the request went out.
  bool sent_some() const noexcept;

  // After done(), when the connection may serve another request: hands it over; else null.
  std::unique_ptr<stream> release();
  // After a 101: the connection, and the bytes behind the head that were read already.
  asio::awaitable<std::unique_ptr<stream>> upgrade(std::string& already_read);

 private:
  struct wire;

  task<void> advance(diagnostics& why);
  task<void> fail(error_code code, diagnostics& why);
  task<void> tell_failure(error_code code, diagnostics& why);
  void over(error_code outcome);

  std::shared_ptr<wire> wire_;
  deadlines limits_;
  std::string peer_;
  response_decoder decoder_;
  exchange_log log_;
  pending<void> sending_;
  std::unique_ptr<char[]> block_;  // what is read into
  std::string input_;              // read and not yet eaten
  std::string output_;             // of the body, eaten and not yet handed on
  std::uint64_t received_ = 0;     // of the body
  bool handed_on_ = false;
  bool got_some_ = false;
};

}  // namespace dockline::http
