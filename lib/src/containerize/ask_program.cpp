#include "containerize/ask_program.hpp"

#include "core/encoding.hpp"
#include "core/run_program.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace dockline::containerize {
namespace {

using namespace std::chrono_literals;

// Of the last line of a program's errors its beginning is told.
constexpr std::size_t longest_error = 200;
// How often a wait looks whether it is to stop.
constexpr auto look_interval = 20ms;

std::string words_of(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time.count()) + " ms";
}

// The last line that is not blank.
std::string_view last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == text.npos) return {};
  text = text.substr(0, end + 1);
  return text.substr(text.find_last_of('\n') + 1);
}

// Empty if it did what it was asked for.
std::string failure_of(error_code code, const program_end& end, std::chrono::milliseconds limit) {
  if (code) return "was stopped";
  if (end.not_started) return "could not be started: " + end.not_started.message();
  if (end.timed_out) return "did not answer within " + words_of(limit);
  if (end.too_long) return "wrote more than a mebibyte";
  if (end.status == 0) return {};
  const std::string line = to_utf8(last_line(end.errors).substr(0, longest_error));
  return "exited with status " + std::to_string(end.status) + (line.empty() ? "" : ": " + line);
}

}  // namespace

program_answer ask_program(std::vector<std::string> arguments, std::chrono::milliseconds limit,
                           const std::atomic<bool>& stopped) {
  program_call call;
  call.arguments = std::move(arguments);
  call.timeout = limit;
  call.keeps_errors = true;

  asio::io_context loop(1);
  asio::cancellation_signal stop;
  bool over = false;
  program_answer answer;
  auto done = [&](error_code code, program_end end) {
    over = true;
    answer.failure = failure_of(code, end, limit);
    if (answer.failure.empty()) answer.text = std::move(end.output);
  };
  spawn<program_end>(loop.get_executor(), nullptr,
                     completion_handler<program_end>(asio::bind_cancellation_slot(stop.slot(), done)),
                     [&](diagnostics&) { return run_program(loop.get_executor(), std::move(call)); });
  while (!over) {
    if (stopped) stop.emit(asio::cancellation_type::terminal);
    loop.run_for(look_interval);
  }
  return answer;
}

}  // namespace dockline::containerize
