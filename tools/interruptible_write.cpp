#include "interruptible_write.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>

namespace dockline::tool {
namespace {

constexpr std::array interrupts = {SIGINT, SIGTERM};
// The signal comes to one thread, and another one may wait to write.
constexpr int milliseconds_between_looks = 100;

std::array<struct sigaction, interrupts.size()> handlers_before;
std::atomic<bool> interrupt_came = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal's handler sets it");

void note_interrupt(int signal) {
  interrupt_came = true;
  for (std::size_t i = 0; i < interrupts.size(); ++i) {
    if (interrupts[i] == signal) handlers_before[i].sa_handler(signal);
  }
}

// How much can be written, where there is room for anything, without waiting.
std::size_t longest_write(int descriptor) {
  struct stat status {};
  const bool file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  return file ? std::string_view::npos : PIPE_BUF;
}

}  // namespace

interruptible_writes::interruptible_writes() {
  struct sigaction noting {};
  noting.sa_handler = &note_interrupt;
  ::sigfillset(&noting.sa_mask);
  interrupt_came = false;
  for (std::size_t i = 0; i < interrupts.size(); ++i)
    ::sigaction(interrupts[i], nullptr, &handlers_before[i]);
  for (const int signal : interrupts) ::sigaction(signal, &noting, nullptr);
}
interruptible_writes::~interruptible_writes() {
  for (std::size_t i = 0; i < interrupts.size(); ++i)
    ::sigaction(interrupts[i], &handlers_before[i], nullptr);
}
bool interruptible_writes::interrupted() noexcept { return interrupt_came; }

bool write_all(int descriptor, std::string_view bytes) {
  const std::size_t longest = longest_write(descriptor);
  while (!bytes.empty()) {
    pollfd taken{descriptor, POLLOUT, 0};
    const int ready = ::poll(&taken, 1, milliseconds_between_looks);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0 && interrupt_came) {
      errno = EINTR;
      return false;
    }
    if (ready <= 0) continue;
    const ssize_t size = ::write(descriptor, bytes.data(), std::min(bytes.size(), longest));
    // Whoever shares the other end of a terminal or pipe may have made it non-blocking for all.
    if (size < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

std::string words_of_failed_write(int number) {
  return number == EINTR ? "interrupted" : std::generic_category().message(number);
}

}  // namespace dockline::tool
