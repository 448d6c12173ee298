#pragma once

// A stream without a socket that a test feeds while an operation runs: what the test gives is read, what is
// written waits for the test to take it.

#include "dockline/core/stream.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace dockline::test {

class hand_fed_stream final : public stream {
 public:
  // What test and stream both see; it outlives the stream.
  struct state {
    explicit state(const boost::asio::any_io_executor& executor) : readable(executor), writable(executor) {}

    std::string to_read;
    bool ended = false;  // after what there is to read
    std::string written;
    std::size_t room = 1 << 20;  // bytes that may be written and not taken
    std::size_t largest_read = 1 << 20;
    int operations = 0;  // reads and writes that were started
    int fail_at = -1;    // the number of the operation that fails
    bool closed = false;
    // Never expire; the loop owns who waits.
    boost::asio::steady_timer readable;
    boost::asio::steady_timer writable;

    void give(std::string_view bytes) {
      to_read += bytes;
      readable.cancel();
    }
    void end() {
      ended = true;
      readable.cancel();
    }
    std::string take() {
      writable.cancel();
      return std::exchange(written, {});
    }
  };

  hand_fed_stream(boost::asio::any_io_executor executor, std::shared_ptr<state> own)
      : executor_(std::move(executor)), state_(std::move(own)) {}

  boost::asio::any_io_executor get_executor() override { return executor_; }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    const bool fails = state_->operations++ == state_->fail_at;
    wait(
        state_->readable, fails || !state_->to_read.empty() || state_->ended || state_->closed,
        [state = state_, block, fails](error_code& code) -> std::size_t {
          if (fails) code = boost::asio::error::connection_reset;
          if (state->closed) code = boost::asio::error::operation_aborted;
          if (code) return 0;
          if (state->to_read.empty() && state->ended) code = boost::asio::error::eof;
          if (state->to_read.empty() && !state->ended) code = boost::asio::error::operation_aborted;
          const std::size_t count = std::min({block.size(), state->to_read.size(), state->largest_read});
          std::memcpy(block.data(), state->to_read.data(), count);
          state->to_read.erase(0, count);
          return count;
        },
        std::move(handler));
  }

  void async_write_some(std::span<const boost::asio::const_buffer> blocks,
                        transfer_handler handler) override {
    const bool fails = state_->operations++ == state_->fail_at;
    const std::string_view block(static_cast<const char*>(blocks.front().data()), blocks.front().size());
    wait(
        state_->writable, fails || state_->written.size() < state_->room || state_->closed,
        [state = state_, block, fails](error_code& code) -> std::size_t {
          if (fails) code = boost::asio::error::broken_pipe;
          if (state->closed || state->written.size() >= state->room)
            code = boost::asio::error::operation_aborted;
          if (code) return 0;
          const std::size_t count = std::min(block.size(), state->room - state->written.size());
          state->written.append(block.substr(0, count));
          return count;
        },
        std::move(handler));
  }

  error_code shutdown_send() override { return {}; }
  void close() noexcept override {
    state_->closed = true;
    state_->readable.cancel();
    state_->writable.cancel();
  }

 private:
  // Waits unless it is `ready`, and completes with what `finish` finds; never before this returns.
  template <class Finish>
  void wait(boost::asio::steady_timer& until, bool ready, Finish finish, transfer_handler handler) {
    until.expires_at(ready ? boost::asio::steady_timer::time_point::min()
                           : boost::asio::steady_timer::time_point::max());
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    until.async_wait([finish, handler = std::move(handler)](error_code) mutable {
      error_code code;
      const std::size_t count = finish(code);
      auto home = boost::asio::get_associated_executor(handler);
      boost::asio::dispatch(
          home, [handler = std::move(handler), code, count]() mutable { std::move(handler)(code, count); });
    });
    if (slot.is_connected()) slot.assign([&until](boost::asio::cancellation_type) { until.cancel(); });
  }

  boost::asio::any_io_executor executor_;
  std::shared_ptr<state> state_;
};

}  // namespace dockline::test
