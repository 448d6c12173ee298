#pragma once

// A stream without a socket: what is read from it, and what happens at each operation, is a script. For
// making every step of an exchange fail in turn.

#include "dockline/core/stream.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace dockline::test {

class scripted_stream final : public stream {
 public:
  // What test and stream both see; it outlives the stream.
  struct script {
    std::deque<std::string> answers;  // one for each read; after the last one, the end
    std::string written;
    std::size_t largest_write = 1 << 20;
    int operations = 0;  // reads and writes that were started
    int fail_at = -1;    // the number of the operation that fails
    error_code failure;
    bool closed = false;
    int waiting = 0;  // reads and writes that have not completed
  };

  scripted_stream(boost::asio::any_io_executor executor, std::shared_ptr<script> own)
      : executor_(std::move(executor)), script_(std::move(own)) {}

  boost::asio::any_io_executor get_executor() override { return executor_; }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    if (fails()) return complete(std::move(handler), script_->failure, 0);
    if (script_->closed) return complete(std::move(handler), boost::asio::error::operation_aborted, 0);
    if (script_->answers.empty()) return complete(std::move(handler), boost::asio::error::eof, 0);
    std::string& next = script_->answers.front();
    const std::size_t count = std::min(block.size(), next.size());
    std::memcpy(block.data(), next.data(), count);
    next.erase(0, count);
    if (next.empty()) script_->answers.pop_front();
    complete(std::move(handler), {}, count);
  }

  void async_write_some(std::span<const boost::asio::const_buffer> blocks,
                        transfer_handler handler) override {
    if (fails()) return complete(std::move(handler), script_->failure, 0);
    if (script_->closed) return complete(std::move(handler), boost::asio::error::operation_aborted, 0);
    std::size_t count = 0;
    for (const auto& block : blocks) {
      const std::size_t some = std::min(block.size(), script_->largest_write - count);
      script_->written.append(static_cast<const char*>(block.data()), some);
      count += some;
    }
    complete(std::move(handler), {}, count);
  }

  error_code shutdown_send() override { return {}; }
  void close() noexcept override { script_->closed = true; }

 private:
  bool fails() { return script_->operations++ == script_->fail_at; }

  void complete(transfer_handler handler, error_code code, std::size_t count) {
    ++script_->waiting;
    boost::asio::post(executor_, [script = script_, handler = std::move(handler), code, count]() mutable {
      --script->waiting;
      std::move(handler)(code, count);
    });
  }

  boost::asio::any_io_executor executor_;
  std::shared_ptr<script> script_;
};

}  // namespace dockline::test
