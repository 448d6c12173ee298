#pragma once

#include "dockline/core/error.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline {

// A program that runs beside this process, in a session of its own: a Ctrl-C at the terminal is not for it.
// Whoever owns this object ends it with it, and no zombie is left.
//
// It inherits its three standard descriptors only, and signals as they are by default: Asio's sockets are not
// closed on exec, and a connection that another process keeps open is one that nobody can close.
class child_process {
 public:
  struct setup {
    setup() = default;

    std::vector<std::string> arguments;  // the first one is looked up in PATH
    // "NAME=value" each. Empty: that of this process.
    std::optional<std::vector<std::string>> environment;
    // What its standard streams are; they stay the caller's to close.
    int input = -1;
    int output = -1;
    int errors = -1;
  };

  // Errors: those of posix_spawnp(3): no such program, no permission.
  static result<child_process> start(const setup& how);

  child_process() = default;
  child_process(child_process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        handle_(std::exchange(other.handle_, -1)),
        status_(std::exchange(other.status_, std::nullopt)) {}
  child_process& operator=(child_process&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(handle_, other.handle_);
    std::swap(status_, other.status_);
    return *this;
  }
  ~child_process() { end(); }

  // The exit status, once it is over (128 and its number for a signal). Reaps it; does not wait.
  std::optional<int> poll() noexcept;

  // For a thread that waits until it is over, and leaves it to poll() to reap it: wait(id()).
  int id() const noexcept { return pid_; }
  static void wait(int id) noexcept;

  // Kills it and its own children in the same group, unless it was reaped.
  void kill() noexcept;

  // Kills what still runs of it, its own children in the same group included, and reaps it.
  void end() noexcept;

  // Gives away a descriptor that is readable when the program is over, for an event loop to wait on; -1 where
  // the kernel (before 5.3) has none.
  int take_handle() noexcept { return std::exchange(handle_, -1); }

 private:
  int pid_ = -1;  // once it is reaped the number may be somebody else's
  int handle_ = -1;
  std::optional<int> status_;
};

}  // namespace dockline
