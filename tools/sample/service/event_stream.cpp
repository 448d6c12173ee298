#include "event_stream.hpp"

#include "no_throw.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

namespace sample {
namespace {

// What a client may be behind by.
constexpr std::size_t longest_backlog = std::size_t{4} << 20;

// Below what proxies wait for a byte, which is 30 seconds and more.
constexpr std::chrono::seconds longest_silence(15);

// For what is still to be written when the build is over.
constexpr std::chrono::seconds longest_last_write(5);

}  // namespace

event_stream::event_stream(asio::ip::tcp::socket client)
    : client_(std::move(client)), changed_(client_.get_executor()) {
  waiting_ =
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/event-stream\r\n"
      "Cache-Control: no-store\r\n"
      "Connection: close\r\n\r\n";
  // Not written yet: shared_from_this() is not to be had in a constructor.
}

void event_stream::send(std::string_view event, std::string_view data) {
  if (failed_) return;
  waiting_.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n");
  if (waiting_.size() > longest_backlog) {
    failed_ = true;
    waiting_.clear();
    changed_.cancel();
  } else if (!writing_) {
    write();
  }
}

void event_stream::write() {
  writing_ = true;
  written_.swap(waiting_);
  waiting_.clear();
  asio::async_write(client_, asio::buffer(written_),
                    [self = shared_from_this()](boost::system::error_code code, std::size_t) {
                      self->writing_ = false;
                      if (code) self->failed_ = true;
                      if (!self->failed_ && !self->waiting_.empty()) return self->write();
                      self->changed_.cancel();
                    });
}

asio::awaitable<void> event_stream::read_to_the_end() {
  std::array<char, 512> ignored;
  for (;;) {
    const auto [code, size] = co_await client_.async_read_some(asio::buffer(ignored), no_throw);
    if (code) co_return;
  }
}

// Ends when the client is not to be reached any more.
asio::awaitable<void> event_stream::keep_alive() {
  while (!failed_) {
    changed_.expires_after(longest_silence);
    const auto [code] = co_await changed_.async_wait(no_throw);
    // A timer that is cancelled because something has changed says the same as one whose coroutine is to end.
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
      co_return;
    if (!code && !writing_) {
      waiting_ = ":\n\n";
      write();
    }
  }
}

asio::awaitable<void> event_stream::wait_for_leaving() {
  using namespace asio::experimental::awaitable_operators;
  co_await (read_to_the_end() || keep_alive());
}

asio::awaitable<void> event_stream::finish() {
  changed_.expires_after(longest_last_write);
  while (writing_ && !failed_) {
    const auto [code] = co_await changed_.async_wait(no_throw);
    if (!code && writing_) failed_ = true;
  }
  boost::system::error_code ignored;
  // What such a client did not read goes with the connection, or the kernel would offer it for minutes more.
  if (failed_) client_.set_option(asio::socket_base::linger(true, 0), ignored);
  client_.close(ignored);
}

}  // namespace sample
