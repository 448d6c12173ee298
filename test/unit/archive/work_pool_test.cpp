// The threads of a context that was given no executor: how many there are, and when they end.

#include "archive/work_pool.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace archive = dockline::archive;
using namespace std::chrono_literals;

// Which threads did some work.
class who_worked {
 public:
  void here() {
    const std::lock_guard hold(mutex_);
    seen_.insert(std::this_thread::get_id());
  }
  std::size_t count() {
    const std::lock_guard hold(mutex_);
    return seen_.size();
  }

 private:
  std::mutex mutex_;
  std::set<std::thread::id> seen_;
};

std::size_t threads_for_pieces_in_turn() {
  auto pool = archive::make_work_pool();
  who_worked threads;
  for (int piece = 0; piece < 20; ++piece) {
    std::promise<void> done;
    asio::post(archive::executor_of(*pool), [&] {
      threads.here();
      done.set_value();
    });
    done.get_future().wait();
    std::this_thread::sleep_for(1ms);
  }
  return threads.count();
}

}  // namespace

TEST_SUITE("archive/work_pool") {
  TEST_CASE("one piece of work after the other needs one thread") {
    // On a busy machine the next piece may be there before the thread has looked whether one waits.
    int attempts = 0;
    while (threads_for_pieces_in_turn() != 1) REQUIRE(++attempts < 20);
  }

  TEST_CASE("work that waits brings a thread for each processor, and no more than eight") {
    auto pool = archive::make_work_pool();
    who_worked threads;
    constexpr int pieces = 400;
    std::atomic<int> done = 0;
    for (int piece = 0; piece < pieces; ++piece)
      asio::post(archive::executor_of(*pool), [&] {
        threads.here();
        std::this_thread::sleep_for(1ms);
        ++done;
      });
    pool.reset();
    CHECK(done == pieces);  // what was begun is brought to its end
    CHECK(threads.count() == std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
  }

  TEST_CASE("its threads take no signal of the process, but those of their own faults") {
    auto pool = archive::make_work_pool();
    std::promise<sigset_t> told;
    asio::post(archive::executor_of(*pool), [&] {
      sigset_t mask{};
      ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      told.set_value(mask);
    });
    const sigset_t theirs = told.get_future().get();
    sigset_t ours{};
    ::pthread_sigmask(SIG_BLOCK, nullptr, &ours);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGCONT, SIGWINCH, SIGUSR1}) {
      CAPTURE(signal);
      CHECK(::sigismember(&theirs, signal) == 1);
      CHECK(::sigismember(&ours, signal) == 0);
    }
    for (const int signal : {SIGSEGV, SIGABRT, SIGPROF}) CHECK(::sigismember(&theirs, signal) == 0);
  }

  TEST_CASE("the last copy may go in one of the threads, while others still work") {
    auto pool = archive::make_work_pool();
    const auto executor = archive::executor_of(*pool);
    std::promise<void> dropped;
    auto last = std::make_shared<std::promise<void>>();
    auto ended = last->get_future();
    for (int piece = 0; piece < 20; ++piece)
      asio::post(executor, [last] { std::this_thread::sleep_for(1ms); });
    last.reset();
    asio::post(executor, [own = std::move(pool), &dropped]() mutable {
      own.reset();
      dropped.set_value();
    });
    dropped.get_future().wait();
    // The promise goes unkept with the last piece that holds it.
    CHECK(ended.wait_for(10s) == std::future_status::ready);
  }
}
