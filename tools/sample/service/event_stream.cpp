#include "event_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace sample {
namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// What a client may be behind by.
constexpr std::size_t longest_backlog = std::size_t{4} << 20;

asio::awaitable<void> read_to_the_end(asio::ip::tcp::socket& client) {
  std::array<char, 512> ignored;
  for (;;) {
    const auto [code, size] = co_await client.async_read_some(asio::buffer(ignored), no_throw);
    if (code) co_return;
  }
}

}  // namespace

event_stream::event_stream(asio::ip::tcp::socket& client)
    : client_(client), changed_(client.get_executor(), asio::steady_timer::time_point::max()) {
  waiting_ =
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/event-stream\r\n"
      "Cache-Control: no-store\r\n"
      "Connection: close\r\n\r\n";
  // From now on: shared_from_this() is not to be had in a constructor, so the first event writes the head.
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

asio::awaitable<void> event_stream::wait_for_leaving() {
  using namespace asio::experimental::awaitable_operators;
  const auto until_failed = [](event_stream& self) -> asio::awaitable<void> {
    while (!self.failed_) {
      co_await self.changed_.async_wait(no_throw);
      if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        co_return;
    }
  };
  co_await (read_to_the_end(client_) || until_failed(*this));
}

asio::awaitable<void> event_stream::finish() {
  while (writing_ && !failed_) co_await changed_.async_wait(no_throw);
}

}  // namespace sample
