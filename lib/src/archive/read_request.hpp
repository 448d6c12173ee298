#pragma once

// One read of a source whose bytes are made on an executor for work: who may write into its block, and how it
// is completed where its handler wants it.

#include "dockline/core/byte_source.hpp"
#include "dockline/core/error.hpp"

#include "core/foreign_work.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace dockline::archive {

class read_request final : public foreign_work {
 public:
  // `stop` is called when the read is cancelled, on the thread that cancels it. `reader`: of the context whose
  // operations read.
  static std::shared_ptr<read_request> make(std::shared_ptr<foreign_work_list> reader,
                                            const boost::asio::any_io_executor& work, std::span<char> block,
                                            transfer_handler handler, std::function<void()> stop);

  // Before the block is written to. False: the read was cancelled, or its context has ended; the block is no
  // longer there.
  //
  // A read that nobody took completes at once when it is cancelled; one that was taken completes when its
  // taker is done, who was told to stop: until then the block is in use.
  bool take() noexcept;

  // Where a taker writes.
  std::span<char> block() const noexcept { return block_; }

  // By the taker, once.
  void complete(result<std::size_t> outcome);

 private:
  enum class state { waiting, taken, over };

  read_request(std::shared_ptr<foreign_work_list> reader, const boost::asio::any_io_executor& work,
               std::span<char> block, transfer_handler handler, std::function<void()> stop);
  void cancel();
  void stop() noexcept override { stop_(); }
  void abandon() noexcept override;

  std::span<char> block_;
  transfer_handler handler_;
  boost::asio::any_completion_executor home_;
  bool completes_here_;  // by the taker itself: the handler has no executor of its own
  std::function<void()> stop_;
  std::atomic<state> state_ = state::waiting;
};

}  // namespace dockline::archive
