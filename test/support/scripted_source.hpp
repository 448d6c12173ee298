#pragma once

// A source of bytes that a test makes slow, large, short or broken.

#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"

#include "core/spawn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace dockline::test {

class scripted_source final : public byte_source {
 public:
  explicit scripted_source(boost::asio::any_io_executor executor, std::uint64_t total = 0)
      : left(total), executor_(executor), never_(std::move(executor)) {}

  std::uint64_t left;                    // bytes still to come
  std::optional<std::uint64_t> claimed;  // what size() says
  std::size_t largest = 1 << 20;         // bytes a read, at most
  error_code failure;                    // in place of the end
  bool hangs = false;                    // in place of the end: nothing, until it is cancelled
  bool throws = false;                   // in place of the end
  char letter = 'x';

  std::atomic<std::uint64_t> given = 0;  // bytes so far
  std::atomic<int> cancelled = 0;        // reads that hung and were cancelled

  std::optional<std::uint64_t> size() const override { return claimed; }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>({left, block.size(), largest}));
    if (count == 0 && throws) throw std::runtime_error("a source that breaks its promise");
    if (count == 0 && hangs) {
      hang(std::move(handler));
      return;
    }
    std::memset(block.data(), letter, count);
    left -= count;
    given += count;
    error_code code;
    if (count == 0 && failure) {
      code = failure;
      why_.set_client_message("the source's own words");
    }
    complete(std::move(handler), code, count);
  }

  const diagnostics& why() const noexcept override { return why_; }

 private:
  // Never before the initiating function has returned, and where the handler wants it.
  void complete(transfer_handler handler, error_code code, std::size_t count) {
    boost::asio::post(
        executor_, [this_executor = executor_, handler = std::move(handler), code, count]() mutable {
          home_of(handler, this_executor).execute([handler = std::move(handler), code, count]() mutable {
            std::move(handler)(code, count);
          });
        });
  }

  void hang(transfer_handler handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    never_.expires_at(boost::asio::steady_timer::time_point::max());
    never_.async_wait([this, handler = std::move(handler)](error_code) mutable {
      ++cancelled;
      complete(std::move(handler), boost::asio::error::operation_aborted, 0);
    });
    if (slot.is_connected()) slot.assign([this](boost::asio::cancellation_type) { never_.cancel(); });
  }

  boost::asio::any_io_executor executor_;
  // Has the loop own the handler of a read that hangs.
  boost::asio::steady_timer never_;
  diagnostics why_;
};

}  // namespace dockline::test
