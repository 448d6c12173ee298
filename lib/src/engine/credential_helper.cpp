#include "engine/credential_helper.hpp"

#include "core/child_process.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace dockline::engine {
namespace {

using namespace std::chrono_literals;

// Tokens of cloud registries are some kilobytes long.
constexpr std::size_t longest_output = std::size_t{1} << 20;
constexpr std::size_t longest_words = 200;
// How a program's end is noticed where the kernel has no pidfd.
constexpr auto poll_interval = 10ms;

// The protocol's words for a registry that the helper knows nothing of, with exit status 1.
constexpr std::string_view not_found = "credentials not found in native keychain";
// The protocol's name of a user whose secret is an identity token.
constexpr std::string_view token_user = "<token>";

class descriptor {
 public:
  explicit descriptor(int number = -1) : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { reset(); }

  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }
  void reset(int number = -1) noexcept {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }

 private:
  int number_;
};

bool make_pipe(descriptor& read_end, descriptor& write_end) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return true;
}

// One run of a helper. All of it happens on one executor; whatever waits keeps it.
struct helper_run : std::enable_shared_from_this<helper_run> {
  explicit helper_run(const asio::any_io_executor& executor)
      : output(executor), end_of_program(executor), next_look(executor), deadline(executor), ended(executor) {
    ended.expires_at(asio::steady_timer::time_point::max());
  }

  child_process program;
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor end_of_program;
  asio::steady_timer next_look;  // where there is no end_of_program to wait for
  asio::steady_timer deadline;
  asio::steady_timer ended;  // never expires: cancelled when it is over
  std::optional<int> status;
  bool timed_out = false;
  std::string text;

  // The error of what could not be done, if any.
  error_code start(const helper_question& question);
  void watch();
  void kill_after(std::chrono::milliseconds limit);
  void drain();
  bool over() const noexcept { return status || timed_out; }

  void wake() {
    error_code ignored;
    output.cancel(ignored);
    ended.cancel();
  }
  // Nothing of it is left afterwards.
  void stop() {
    program.end();
    error_code ignored;
    deadline.cancel();
    next_look.cancel();
    end_of_program.close(ignored);
    output.close(ignored);
  }
};

error_code last_failure() { return {errno, boost::system::system_category()}; }

error_code helper_run::start(const helper_question& question) {
  descriptor question_read;
  descriptor question_write;
  descriptor answer_read;
  descriptor answer_write;
  if (!make_pipe(question_read, question_write) || !make_pipe(answer_read, answer_write))
    return last_failure();
  const descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (nowhere.get() < 0) return last_failure();
  // Before the program is there to close its end, which would be a SIGPIPE; a pipe takes this much at once.
  const std::string& input = question.key;
  if (input.size() > PIPE_BUF) return make_error_code(boost::system::errc::argument_list_too_long);
  if (::write(question_write.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()))
    return last_failure();
  question_write.reset();

  child_process::setup how;
  how.arguments = {question.program, "get"};
  how.environment = question.environment;
  how.input = question_read.get();
  how.output = answer_write.get();
  how.errors = nowhere.get();
  auto started = child_process::start(how);
  if (!started) return started.error();
  program = std::move(*started);
  error_code failure;
  output.assign(answer_read.get(), failure);
  if (failure) return failure;
  answer_read.release();
  return {};
}

void helper_run::watch() {
  const auto look = [self = shared_from_this()](error_code code) {
    // Stopped meanwhile: the wait was over before it could be cancelled.
    if (code || !self->output.is_open()) return;
    self->status = self->program.poll();
    self->status ? self->wake() : self->watch();
  };
  if (!end_of_program.is_open()) {
    descriptor handle(program.take_handle());
    error_code failure;
    if (handle.get() >= 0) end_of_program.assign(handle.get(), failure);
    if (end_of_program.is_open()) handle.release();
  }
  if (end_of_program.is_open()) {
    end_of_program.async_wait(asio::posix::stream_descriptor::wait_read, look);
    return;
  }
  next_look.expires_after(poll_interval);
  next_look.async_wait(look);
}

void helper_run::kill_after(std::chrono::milliseconds limit) {
  if (limit <= 0ms) return;
  deadline.expires_after(limit);
  deadline.async_wait([self = shared_from_this()](error_code code) {
    if (code || self->status) return;
    self->timed_out = true;
    self->wake();
  });
}

// What the program wrote before it ended. Not to the end of the pipe: a process that it left behind may keep
// that open for ever.
void helper_run::drain() {
  error_code failure;
  output.non_blocking(true, failure);
  std::array<char, 4096> block{};
  while (!failure && text.size() <= longest_output) {
    const std::size_t size = output.read_some(asio::buffer(block), failure);
    text.append(block.data(), size);
  }
}

std::string seconds(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time / 1ms) + " ms";
}

// The helper's own message: one line of it, and none where it might be credentials after all.
std::string first_line(std::string_view text) {
  if (text.find('{') != text.npos) return {};
  text = text.substr(0, text.find('\n')).substr(0, longest_words);
  std::string line = to_utf8(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

helper_answer read_helper_answer(int status, std::string_view output, std::string_view key) {
  helper_answer answer;
  if (status != 0) {
    // Compared as part of it, since some helpers say more.
    if (output.find(not_found) != output.npos) return answer;
    answer.failure = status > 128 ? "ended by signal " + std::to_string(status - 128)
                                  : "ended with status " + std::to_string(status);
    if (const std::string words = first_line(output); !words.empty()) answer.failure += ": " + words;
    return answer;
  }
  const auto parsed = json::parse(output);
  const json::value root = parsed ? parsed->root() : json::value();
  const auto user = root.find("Username").as_string();
  const auto secret = root.find("Secret").as_string();
  if (!user || !secret) {
    answer.failure = "printed something else than credentials";
    return answer;
  }
  if (user->empty() && secret->empty()) return answer;
  if (*user == token_user) {
    answer.auth.identity_token = *secret;
  } else {
    answer.auth.username = *user;
    answer.auth.password = *secret;
  }
  answer.auth.server_address = key;
  return answer;
}

bool is_helper_name(std::string_view name) {
  return !name.empty() && name.size() <= NAME_MAX && name.find("..") == name.npos &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.' || c == '+';
         });
}

std::optional<std::string> find_program(std::string_view search_path, std::string_view name) {
  while (!search_path.empty()) {
    const std::size_t colon = search_path.find(':');
    const std::string_view directory = search_path.substr(0, colon);
    search_path.remove_prefix(colon == search_path.npos ? search_path.size() : colon + 1);
    if (!directory.starts_with('/')) continue;
    std::string path = std::string(directory) + "/" + std::string(name);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0)
      return path;
  }
  return std::nullopt;
}

task<helper_answer> ask_helper(asio::any_io_executor executor, helper_question question) {
  auto run = std::make_shared<helper_run>(executor);
  helper_answer answer;
  if (const error_code failure = run->start(question)) {
    answer.failure = "cannot be run: " + failure.message();
    co_return answer;
  }
  run->watch();
  run->kill_after(question.timeout);
  std::array<char, 4096> block{};
  bool cancelled = false;
  for (bool open = true; !run->over() && open && run->text.size() <= longest_output;) {
    auto [code, size] = co_await run->output.async_read_some(asio::buffer(block), no_throw);
    run->text.append(block.data(), size);
    cancelled = co_await is_cancelled();
    open = !code && !cancelled;
  }
  // It may close its output and go on.
  while (!run->over() && !cancelled && run->text.size() <= longest_output) {
    auto [woken] = co_await run->ended.async_wait(no_throw);
    (void)woken;
    cancelled = co_await is_cancelled();
  }
  if (run->status) run->drain();
  run->stop();
  if (cancelled) co_return aborted();
  if (run->text.size() > longest_output) {
    answer.failure = "printed more than 1 MiB";
  } else if (run->timed_out) {
    answer.failure = "gave no answer within " + seconds(question.timeout);
  } else {
    answer = read_helper_answer(*run->status, run->text, question.key);
  }
  co_return answer;
}

}  // namespace dockline::engine
