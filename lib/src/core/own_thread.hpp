#pragma once

// Threads of the library's own, in a process that is somebody else's.

#include <csignal>
#include <thread>
#include <utility>

namespace dockline {

// Keeps signals from the calling thread while it lives.
class signals_held {
 public:
  signals_held() noexcept {
    sigset_t most;
    ::sigfillset(&most);
    // What tells of a fault of the thread itself, and what a profiler counts with.
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF})
      ::sigdelset(&most, own);
    ::pthread_sigmask(SIG_BLOCK, &most, &before_);
  }
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;
  ~signals_held() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// A thread that takes no signal of the process: each goes to a thread of the host's, whose handlers may count on that.
template <typename Work>
std::thread own_thread(Work&& work) {
  const signals_held while_it_starts;  // a thread begins with the mask of the one that starts it
  return std::thread(std::forward<Work>(work));
}

}  // namespace dockline
