#include "core/strand_core.hpp"

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <exception>
#include <unordered_set>
#include <utility>

namespace dockline {

// The strands of a context. What waits in them may own what owns them, and goes when the context ends.
class strand_list {
 public:
  void add(strand_core& one) {
    const std::lock_guard guard(mutex_);
    strands_.insert(&one);
  }
  void remove(strand_core& one) noexcept {
    const std::lock_guard guard(mutex_);
    strands_.erase(&one);
  }
  void end() noexcept {
    function_queue dropped;
    const std::lock_guard guard(mutex_);
    for (strand_core* const one : strands_) dropped.push(one->end());
  }

 private:
  std::mutex mutex_;
  std::unordered_set<strand_core*> strands_;
};

namespace {

class strand_service final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit strand_service(asio::execution_context& context)
      : service(context), strands(std::make_shared<strand_list>()) {}

  void shutdown() override { strands->end(); }

  // Shared, since a client may outlive the context.
  const std::shared_ptr<strand_list> strands;
};

}  // namespace

// What the executor is given.
struct strand_core::turn {
  static constexpr std::uint64_t goes_on = 0;

  std::shared_ptr<strand_core> strand;
  std::uint64_t number;  // of the function that it is for, or `goes_on`

  void operator()() const {
    if (number == goes_on)
      strand->call_what_waits();
    else
      strand->begin_turn(number);
  }
};

strand_core::strand_core(const asio::any_io_executor& executor)
    : executor_(executor),
      later_(asio::require(executor, asio::execution::blocking.never)),
      list_(asio::use_service<strand_service>(asio::query(executor, asio::execution::context)).strands) {
  list_->add(*this);
}

strand_core::~strand_core() { list_->remove(*this); }

void strand_core::queue(function_ptr function, bool at_once) {
  std::unique_lock lock(mutex_);
  if (over_) return;
  const std::uint64_t number = ++last_number_;
  function->number = number;
  waiting_.push(std::move(function));
  if (running_ || coming_ > 0) return;
  if (!at_once || offered_ != 0) {
    // With the lock, so that nobody relies on this turn before the executor has it.
    try {
      later_.execute(turn{shared_from_this(), number});
    } catch (...) {
      function = waiting_.remove(number);
      throw;
    }
    ++coming_;
    return;
  }
  offered_ = number;
  lock.unlock();
  try {
    executor_.execute(turn{shared_from_this(), number});
  } catch (...) {
    lock.lock();
    if (offered_ != number) throw;  // a function did
    offered_ = 0;
    function = waiting_.remove(number);
    if (!function) return;  // the turn of another thread called it
    throw;
  }
  lock.lock();
  if (offered_ != number) return;
  offered_ = 0;
  ++coming_;
}

void strand_core::begin_turn(std::uint64_t number) {
  {
    const std::lock_guard guard(mutex_);
    if (offered_ == number)
      offered_ = 0;
    else
      --coming_;
    if (running_ || waiting_.empty()) return;
    running_ = true;
  }
  call_what_waits();
}

void strand_core::call_what_waits() {
  std::exception_ptr thrown;
  do {
    std::unique_lock lock(mutex_);
    function_queue now(std::move(waiting_));
    lock.unlock();
    thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    try {
      while (!now.empty()) now.pop().release()->call();
    } catch (...) {
      if (!thrown) thrown = std::current_exception();
    }
    thread_.store(std::thread::id(), std::memory_order_relaxed);
    lock.lock();
    waiting_.push_front(std::move(now));
  } while (!go_on_later());
  if (thrown) std::rethrow_exception(thrown);
}

// What came meanwhile is called after whatever else the executor has. False: it does not take the turn.
bool strand_core::go_on_later() noexcept {
  {
    const std::lock_guard guard(mutex_);
    running_ = !waiting_.empty();
    if (!running_) return true;
  }
  try {
    later_.execute(turn{shared_from_this(), turn::goes_on});
    return true;
  } catch (...) {
    return false;
  }
}

function_queue strand_core::end() noexcept {
  const std::lock_guard guard(mutex_);
  over_ = true;
  return std::move(waiting_);
}

void strand_core::begin_work() noexcept {
  const std::lock_guard guard(mutex_);
  if (works_++ == 0) work_ = asio::prefer(executor_, asio::execution::outstanding_work.tracked);
}

void strand_core::end_work() noexcept {
  const std::lock_guard guard(mutex_);
  if (--works_ == 0) work_ = asio::any_io_executor();
}

}  // namespace dockline
