#pragma once

#include "command.hpp"

#include <boost/asio/cancellation_signal.hpp>

namespace dockline::tool {

// Cancels an operation whose output nobody reads any more, and when this coroutine is cancelled itself.
class while_read {
 public:
  // `outer` is the slot of the coroutine's own cancellation state.
  while_read(boost::asio::cancellation_slot outer, const console& terminal)
      : outer_(outer), terminal_(terminal) {
    outer_.assign([this](boost::asio::cancellation_type type) { stop_.emit(type); });
  }
  while_read(const while_read&) = delete;
  while_read& operator=(const while_read&) = delete;
  ~while_read() { outer_.clear(); }

  boost::asio::cancellation_slot slot() { return stop_.slot(); }
  // To be called after each write.
  void look() {
    if (!terminal_.intact()) stop_.emit(boost::asio::cancellation_type::terminal);
  }

 private:
  boost::asio::cancellation_slot outer_;
  const console& terminal_;
  boost::asio::cancellation_signal stop_;
};

// The status of a command whose operation ended with `code`, after saying what went wrong.
inline int status_after(console& terminal, const error_code& code, const diagnostics& why) {
  if (!terminal.intact()) return static_cast<int>(exit_status::failed);
  return static_cast<int>(code ? report(terminal, code, why) : exit_status::done);
}

}  // namespace dockline::tool
