#pragma once

// A program that is asked something on its standard input and answers on its standard output.

#include "core/spawn.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace dockline {

struct program_call {
  program_call() = default;

  std::vector<std::string> arguments;  // the first one is looked up in PATH
  // "NAME=value" each. Empty: that of this process.
  std::optional<std::vector<std::string>> environment;
  std::string input;                     // at most what a pipe takes at once, 4096 bytes
  std::chrono::milliseconds timeout{0};  // zero: without end
  std::size_t longest_output = std::size_t{1} << 20;
  bool keeps_errors = false;  // else nobody sees what it writes to its standard error
};

// How it ended.
struct program_end {
  program_end() = default;

  error_code not_started;
  bool timed_out = false;
  bool too_long = false;  // it printed more than it may
  int status = 0;         // 128 and its number for a signal
  std::string output;
  std::string errors;  // the end of them, if they are kept: some 4096 bytes
};

// Runs it until it ends. When it takes too long, prints too much, or the wait is cancelled, it is killed,
// with the processes that it started, and is gone before this returns. Errors: operation_aborted alone.
task<program_end> run_program(asio::any_io_executor executor, program_call call);

}  // namespace dockline
