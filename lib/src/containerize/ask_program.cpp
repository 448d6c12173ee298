#include "containerize/ask_program.hpp"

#include "core/child_process.hpp"
#include "core/descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <thread>
#include <utility>

namespace dockline::containerize {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_output = std::size_t{1} << 20;
// How often a wait looks whether it is to stop.
constexpr auto look_interval = 20ms;

}  // namespace

std::optional<std::string> ask_program(std::vector<std::string> arguments, std::chrono::milliseconds limit,
                                       const std::atomic<bool>& stopped) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return std::nullopt;
  const descriptor output(ends[0]);
  descriptor answer(ends[1]);
  // The program's own end is an ordinary pipe.
  ::fcntl(answer.get(), F_SETFL, 0);
  const descriptor nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nowhere.get() < 0) return std::nullopt;
  child_process::setup how;
  how.arguments = std::move(arguments);
  how.input = nowhere.get();
  how.output = answer.get();
  how.errors = nowhere.get();
  auto program = child_process::start(how);
  answer.reset();
  if (!program) return std::nullopt;

  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::string text;
  std::array<char, 4096> block{};
  bool open = true;
  while (!stopped && std::chrono::steady_clock::now() < deadline && text.size() <= longest_output) {
    if (!open) {
      if (const auto status = program->poll())
        return *status == 0 ? std::optional(std::move(text)) : std::nullopt;
      std::this_thread::sleep_for(1ms);
      continue;
    }
    pollfd wanted{output.get(), POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(look_interval / 1ms)) <= 0) continue;
    const ssize_t size = ::read(output.get(), block.data(), block.size());
    if (size > 0) text.append(block.data(), static_cast<std::size_t>(size));
    open = size > 0;
  }
  return std::nullopt;
}

}  // namespace dockline::containerize
