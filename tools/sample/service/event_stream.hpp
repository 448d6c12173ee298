#pragma once

// Server-sent events to one client, as its builder tells them.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace sample {

namespace asio = boost::asio;

// Shared by the build, which sends into it from callbacks, and by the coroutine that waits for the client.
class event_stream : public std::enable_shared_from_this<event_stream> {
 public:
  explicit event_stream(asio::ip::tcp::socket client);

  // Writes an event, behind those that are still on their way. `data` is one line. The first one is behind the
  // head of the answer, with status 200.
  void send(std::string_view event, std::string_view data);

  // Waits until the client has gone, or is as good as gone: it reads too little for what it is told. When
  // nothing was sent for a while, a comment is, so that whoever stands between does not take the connection
  // for a dead one.
  asio::awaitable<void> wait_for_leaving();

  // Waits until everything that was sent is written, for a moment; then ends the connection.
  asio::awaitable<void> finish();

 private:
  void write();
  asio::awaitable<void> read_to_the_end();
  asio::awaitable<void> keep_alive();

  asio::ip::tcp::socket client_;
  asio::steady_timer changed_;  // cancelled when something has changed
  std::string waiting_;         // behind what is being written
  std::string written_;
  bool writing_ = false;
  bool failed_ = false;
};

}  // namespace sample
