#pragma once

#include "core/spawn.hpp"

#include <boost/asio/steady_timer.hpp>

namespace dockline::grpc {

// Lets one coroutine wait until another one, on the same executor, has something for it. Who waits looks
// before and after: a notice that nobody waits for is forgotten.
//
// A timer that never expires, so that the event loop owns who waits: when the loop goes, both go.
class wake_up {
 public:
  explicit wake_up(const asio::any_io_executor& executor) : timer_(executor) {}

  asio::awaitable<void> wait() {
    waiting_ = true;
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(no_throw);
    waiting_ = false;
  }

  void notify() {
    if (waiting_) timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool waiting_ = false;
};

}  // namespace dockline::grpc
