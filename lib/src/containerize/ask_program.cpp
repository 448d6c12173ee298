#include "containerize/ask_program.hpp"

#include "core/child_process.hpp"
#include "core/descriptor.hpp"
#include "core/encoding.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <thread>
#include <utility>

namespace dockline::containerize {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_output = std::size_t{1} << 20;
// How much of a program's errors is kept: their end, and of the last line its beginning.
constexpr std::size_t kept_errors = 4096;
constexpr std::size_t longest_error = 200;
// How often a wait looks whether it is to stop.
constexpr auto look_interval = 20ms;

std::string words_of(int number) { return error_code(number, boost::system::system_category()).message(); }

std::string words_of(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time.count()) + " ms";
}

// What a program writes to one of its descriptors.
class program_output {
 public:
  // False if there can be no pipe; errno tells why.
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return false;
    ours_ = descriptor(ends[0]);
    theirs_ = descriptor(ends[1]);
    // The program's own end is an ordinary pipe.
    ::fcntl(theirs_.get(), F_SETFL, 0);
    return true;
  }

  int theirs() const { return theirs_.get(); }
  void close_theirs() { theirs_.reset(); }

  // To wait on; a closed one never wakes.
  pollfd wanted() const { return {open_ ? ours_.get() : -1, POLLIN, 0}; }
  bool is_open() const { return open_; }

  // Once: a program that never stops writing must not keep us here.
  void read(std::string& text) {
    if (!open_) return;
    std::array<char, 4096> block{};
    const ssize_t size = ::read(ours_.get(), block.data(), block.size());
    if (size > 0) text.append(block.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) open_ = false;
  }

 private:
  descriptor ours_;
  descriptor theirs_;
  bool open_ = true;
};

// The last line that is not blank.
std::string_view last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == text.npos) return {};
  text = text.substr(0, end + 1);
  return text.substr(text.find_last_of('\n') + 1);
}

class asker {
 public:
  asker(std::chrono::milliseconds limit, const std::atomic<bool>& stopped)
      : limit_(limit), deadline_(std::chrono::steady_clock::now() + limit), stopped_(stopped) {}

  program_answer run(std::vector<std::string> arguments) {
    const descriptor nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (nowhere.get() < 0 || !output_.open() || !errors_.open())
      return failed("could not be started: " + words_of(errno));
    child_process::setup how;
    how.arguments = std::move(arguments);
    how.input = nowhere.get();
    how.output = output_.theirs();
    how.errors = errors_.theirs();
    auto program = child_process::start(how);
    output_.close_theirs();
    errors_.close_theirs();
    if (!program) return failed("could not be started: " + program.error().message());
    return wait_for(*program);
  }

 private:
  program_answer wait_for(child_process& program) {
    for (;;) {
      if (stopped_) return failed("was stopped");
      if (std::chrono::steady_clock::now() >= deadline_)
        return failed("did not answer within " + words_of(limit_));
      if (text_.size() > longest_output) return failed("wrote more than a mebibyte");
      // Its children may hold its errors open for longer than it lives.
      if (!output_.is_open()) {
        if (const auto status = program.poll()) return ended(*status);
        std::this_thread::sleep_for(1ms);
        read_errors();
        continue;
      }
      std::array<pollfd, 2> wanted = {output_.wanted(), errors_.wanted()};
      if (::poll(wanted.data(), wanted.size(), static_cast<int>(look_interval / 1ms)) <= 0) continue;
      if (wanted[0].revents != 0) output_.read(text_);
      if (wanted[1].revents != 0) read_errors();
    }
  }

  program_answer ended(int status) {
    if (status == 0) {
      program_answer answer;
      answer.text = std::move(text_);
      return answer;
    }
    // What it wrote last may still be in the pipe, which holds 64 KiB.
    for (int blocks = 0; blocks < 16 && errors_.is_open(); ++blocks) read_errors();
    std::string line = to_utf8(last_line(error_text_).substr(0, longest_error));
    return failed("exited with status " + std::to_string(status) + (line.empty() ? "" : ": " + line));
  }

  void read_errors() {
    errors_.read(error_text_);
    if (error_text_.size() > kept_errors) error_text_.erase(0, error_text_.size() - kept_errors);
  }

  static program_answer failed(std::string what) {
    program_answer answer;
    answer.failure = std::move(what);
    return answer;
  }

  std::chrono::milliseconds limit_;
  std::chrono::steady_clock::time_point deadline_;
  const std::atomic<bool>& stopped_;
  program_output output_;
  program_output errors_;
  std::string text_;
  std::string error_text_;
};

}  // namespace

program_answer ask_program(std::vector<std::string> arguments, std::chrono::milliseconds limit,
                           const std::atomic<bool>& stopped) {
  return asker(limit, stopped).run(std::move(arguments));
}

}  // namespace dockline::containerize
