#include "archive/work_pool.hpp"

#include "core/own_thread.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace dockline::archive {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// How long a thread that computes keeps a processor that another one waits for, where the kernel lets it say
// so (since Linux 6.12).
constexpr std::chrono::nanoseconds slice = 500us;

// Enough for a thread that wakes to be let in at once, measured: with less, one that computes is left alone up to
// the next tick of the kernel, 4 ms.
constexpr int niceness = 10;

std::size_t pool_size() {
  constexpr unsigned most = 8;
  static const unsigned processors = std::thread::hardware_concurrency();  // which reads a file each time
  return std::clamp(processors, 1u, most);
}

// What sched_setattr(2) takes, for which glibc has no declaration, and whose own header clashes with glibc's.
struct scheduling {
  std::uint32_t size = sizeof(scheduling);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(scheduling) == 48, "the first version of it, which every kernel knows");

// Packing takes whatever processors there are, and the caller's event loop needs one for a moment at any
// moment. A kernel that refuses lets the thread work as any other.
void give_way() noexcept {
  scheduling wish;
  constexpr int nicest = 19;
  wish.nice = std::min(::getpriority(PRIO_PROCESS, 0) + niceness, nicest);
  wish.runtime = static_cast<std::uint64_t>(slice.count());
  constexpr pid_t this_thread = 0;
  constexpr unsigned no_flags = 0;
  (void)::syscall(SYS_sched_setattr, this_thread, &wish, no_flags);
}

// What the threads work on, which the last of them may outlive the pool with.
class crew {
 public:
  crew() : queue_(static_cast<int>(pool_size())), unfinished_(asio::make_work_guard(queue_)) {
    threads_.reserve(pool_size());
    threads_.push_back(own_thread([this] { work(); }));
  }

  auto executor() { return queue_.get_executor(); }

  // Waits for the work that was begun, and for the threads, of which none may be the caller. A thread that is called
  // late is called by one that has not been joined yet, so none is missed.
  void finish() {
    unfinished_.reset();
    for (std::size_t i = 0; std::thread* one = thread(i); ++i) one->join();
  }

 private:
  // Starting a thread takes time that a small build has not, so there is another one only once work piles up: two
  // pieces in turn had to wait. One that comes just as the piece before it ends is no such sign.
  void work() {
    give_way();
    while (queue_.run_one() != 0) {
      if (!whole_ && queue_.poll_one() != 0 && queue_.poll_one() != 0) call_another();
      std::this_thread::yield();
    }
  }

  void call_another() noexcept {
    const std::lock_guard hold(mutex_);
    if (whole_) return;
    try {
      threads_.push_back(own_thread([this] { work(); }));
      whole_ = threads_.size() == pool_size();
    } catch (const std::exception&) {
      whole_ = true;  // no more are to be had: these do it
    }
  }

  // Where it stays: there is room for all of them.
  std::thread* thread(std::size_t index) {
    const std::lock_guard hold(mutex_);
    return index < threads_.size() ? &threads_[index] : nullptr;
  }

  asio::io_context queue_;
  asio::executor_work_guard<asio::io_context::executor_type> unfinished_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::atomic<bool> whole_ = pool_size() == 1;
};

}  // namespace

class work_pool {
 public:
  work_pool() = default;
  work_pool(const work_pool&) = delete;
  work_pool& operator=(const work_pool&) = delete;
  ~work_pool() {
    if (!crew_->executor().running_in_this_thread()) {
      crew_->finish();
      return;
    }
    // A handler without an executor of its own runs here, and may have dropped the last copy of the context.
    // A thread cannot wait for itself.
    own_thread([own = std::move(crew_)] { own->finish(); }).detach();
  }

  asio::any_io_executor executor() { return crew_->executor(); }

 private:
  std::unique_ptr<crew> crew_ = std::make_unique<crew>();
};

std::shared_ptr<work_pool> make_work_pool() { return std::make_shared<work_pool>(); }
boost::asio::any_io_executor executor_of(work_pool& pool) { return pool.executor(); }

}  // namespace dockline::archive
