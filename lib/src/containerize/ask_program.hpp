#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace dockline::containerize {

// What a program writes to its standard output, up to a mebibyte; its standard input and errors are
// /dev/null. Waits for it, and ends it after `limit`, or when `stopped` is set. Empty unless it exits with 0.
std::optional<std::string> ask_program(std::vector<std::string> arguments, std::chrono::milliseconds limit,
                                       const std::atomic<bool>& stopped);

}  // namespace dockline::containerize
