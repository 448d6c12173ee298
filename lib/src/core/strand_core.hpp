#pragma once

// What the copies of a strand share. Asio's own strand crashes in Boost 1.81 where there is no memory for a new one.

#include "core/function_queue.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace dockline {

class strand_list;

// Calls functions one by one, in the order in which they came, in turns that an executor has. To be held by a shared_ptr.
class strand_core : public std::enable_shared_from_this<strand_core> {
 public:
  explicit strand_core(const asio::any_io_executor& executor);
  strand_core(const strand_core&) = delete;
  strand_core& operator=(const strand_core&) = delete;
  ~strand_core();

  const asio::any_io_executor& executor() const noexcept { return executor_; }

  bool runs_in_this_thread() const noexcept {
    return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  // `at_once`: before this returns, if the executor has it so and nothing else is under way. Throws where the executor
  // takes no turn; the function is dropped then.
  void queue(function_ptr function, bool at_once);

  // While one works the executor has work to do.
  void begin_work() noexcept;
  void end_work() noexcept;

 private:
  friend class strand_list;
  struct turn;

  void begin_turn(std::uint64_t number);
  void call_what_waits();
  bool go_on_later() noexcept;

  // The context ends: from now on functions are dropped. Returns those that wait.
  function_queue end() noexcept;

  const asio::any_io_executor executor_;
  const asio::any_io_executor later_;
  const std::shared_ptr<strand_list> list_;  // it is in

  std::atomic<std::thread::id> thread_;  // that calls a function

  std::mutex mutex_;  // of all that follows
  function_queue waiting_;
  std::uint64_t last_number_ = 0;
  bool over_ = false;

  // Somebody looks after what waits while a turn runs or is sure to come. One that the executor is still being given, by the
  // number of the function that it is for, is not: the executor may have no memory for it.
  bool running_ = false;
  std::size_t coming_ = 0;
  std::uint64_t offered_ = 0;

  std::size_t works_ = 0;
  asio::any_io_executor work_;
};

}  // namespace dockline
