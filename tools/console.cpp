#include "console.hpp"

#include <dockline/progress/printable.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>

namespace dockline::tool {
namespace {

constexpr std::array interrupts = {SIGINT, SIGTERM};
// What reaches a write that began between a look at interrupt_came and the signal: alarms, until all is over.
constexpr unsigned seconds_between_alarms = 1;
std::array<struct sigaction, interrupts.size()> handlers_before;
struct sigaction alarm_before;
volatile std::sig_atomic_t interrupt_came = 0;

void note_interrupt(int signal) {
  interrupt_came = 1;
  for (std::size_t i = 0; i < interrupts.size(); ++i) {
    if (interrupts[i] == signal) handlers_before[i].sa_handler(signal);
  }
  ::alarm(seconds_between_alarms);
}

void repeat_alarm(int) { ::alarm(seconds_between_alarms); }

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    // Once it came nobody is waited for, but whoever reads still gets all.
    pollfd taken{descriptor, POLLOUT, 0};
    if (interrupt_came != 0 && ::poll(&taken, 1, 0) == 0) {
      errno = EINTR;
      return false;
    }
    const ssize_t size = ::write(descriptor, bytes.data(), bytes.size());
    if (size < 0) {
      if (errno == EINTR) continue;
      // Whoever shares the other end of a terminal or pipe may have made it non-blocking for all.
      pollfd writable{descriptor, POLLOUT, 0};
      if (errno == EAGAIN && ::poll(&writable, 1, -1) > 0) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

void occupy_standard_streams() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is the one that is given out. Nothing can be written there, so that a result
    // that was asked for is missed as it would be without.
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
  }
}

interruptible_writes::interruptible_writes() {
  struct sigaction noting {};
  noting.sa_handler = &note_interrupt;
  ::sigfillset(&noting.sa_mask);
  interrupt_came = 0;
  for (std::size_t i = 0; i < interrupts.size(); ++i)
    ::sigaction(interrupts[i], nullptr, &handlers_before[i]);
  struct sigaction repeating = noting;
  repeating.sa_handler = &repeat_alarm;
  ::sigaction(SIGALRM, &repeating, &alarm_before);
  for (const int signal : interrupts) ::sigaction(signal, &noting, nullptr);
}
interruptible_writes::~interruptible_writes() {
  for (std::size_t i = 0; i < interrupts.size(); ++i)
    ::sigaction(interrupts[i], &handlers_before[i], nullptr);
  ::alarm(0);
  ::sigaction(SIGALRM, &alarm_before, nullptr);
}
bool interruptible_writes::interrupted() noexcept { return interrupt_came != 0; }

void console::out(std::string_view bytes) {
  if (!intact_ || write_all(STDOUT_FILENO, bytes)) return;
  intact_ = false;
  const int reason = errno;
  error(interrupt_came != 0
            ? "interrupted"
            : "standard output cannot be written: " + std::generic_category().message(reason));
}
void console::err(std::string_view bytes) {
  if (err_writer_)
    err_writer_(bytes);
  else
    write_all(STDERR_FILENO, bytes);
}
void console::err_as_it_is(std::string_view bytes) { write_all(STDERR_FILENO, bytes); }
void console::lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    err(progress::printable(text.substr(0, end)) + "\n");
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}
void console::error(std::string_view text) { err("error: " + progress::printable(text) + "\n"); }
void console::warn(std::string_view text) { err("warning: " + progress::printable(text) + "\n"); }

}  // namespace dockline::tool
