#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace dockline::containerize {

struct program_answer {
  program_answer() = default;

  std::optional<std::string> text;  // its standard output, if it exited with 0
  // Else what happened, as what follows its name: "exited with status 1: ", and the last line of its errors.
  std::string failure;
};

// What a program writes to its standard output, up to a mebibyte; its standard input is /dev/null. Waits for
// it, and ends it after `limit`, or when `stopped` is set.
program_answer ask_program(std::vector<std::string> arguments, std::chrono::milliseconds limit,
                           const std::atomic<bool>& stopped);

}  // namespace dockline::containerize
