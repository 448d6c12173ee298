#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace dockline::http {

// A deadline: unless it is armed anew or disarmed in time it fires once, and remembers that it did. What it
// does then (closing the socket) makes the wait that takes too long complete. All of it on one executor.
class watchdog {
 public:
  explicit watchdog(boost::asio::any_io_executor executor)
      : state_(std::make_shared<state>(boost::asio::steady_timer(executor))) {}
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  ~watchdog() { disarm(); }

  // Zero: no deadline.
  void arm(std::chrono::milliseconds after, std::function<void()> fire) {
    disarm();
    if (after <= std::chrono::milliseconds::zero()) return;
    state_->fire = std::move(fire);
    state_->timer.expires_after(after);
    state_->timer.async_wait([state = state_, round = state_->round](const boost::system::error_code& code) {
      // The round tells a deadline that was met while its completion was already queued.
      if (code || round != state->round) return;
      state->expired = true;
      if (auto action = std::move(state->fire)) action();
    });
  }

  void disarm() {
    ++state_->round;
    state_->fire = nullptr;
    state_->timer.cancel();
  }

  bool expired() const noexcept { return state_->expired; }

 private:
  struct state {
    explicit state(boost::asio::steady_timer own) : timer(std::move(own)) {}

    boost::asio::steady_timer timer;
    std::function<void()> fire;
    unsigned round = 0;
    bool expired = false;
  };
  std::shared_ptr<state> state_;
};

}  // namespace dockline::http
