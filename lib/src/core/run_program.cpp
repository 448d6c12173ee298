#include "core/run_program.hpp"

#include "core/child_process.hpp"
#include "core/descriptor.hpp"
#include "core/last_error.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace dockline {
namespace {

using namespace std::chrono_literals;

// How a program's end is noticed where the kernel has no pidfd.
constexpr auto poll_interval = 10ms;

constexpr std::size_t kept_errors = 4096;
// What a pipe holds: as much may be in it when the program has ended.
constexpr std::size_t blocks_of_pipe = 16;

bool make_pipe(descriptor& read_end, descriptor& write_end) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return true;
}

// One run of a program. All of it happens on one executor; whatever waits keeps it.
struct program_run : std::enable_shared_from_this<program_run> {
  explicit program_run(const asio::any_io_executor& executor)
      : output(executor),
        errors(executor),
        end_of_program(executor),
        next_look(executor),
        deadline(executor),
        ended(executor) {
    ended.expires_at(asio::steady_timer::time_point::max());
  }

  child_process program;
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor errors;  // closed where they are not kept
  asio::posix::stream_descriptor end_of_program;
  asio::steady_timer next_look;  // where there is no end_of_program to wait for
  asio::steady_timer deadline;
  asio::steady_timer ended;  // never expires: cancelled when it is over
  std::optional<int> status;
  bool timed_out = false;
  std::size_t longest_output = 0;
  std::string text;
  std::string error_text;

  // The error of what could not be done, if any.
  error_code start(const program_call& call);
  void watch();
  void watch_errors();
  // False at their end.
  bool read_errors();
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
    errors.close(ignored);
  }
};

error_code program_run::start(const program_call& call) {
  descriptor input_read;
  descriptor input_write;
  descriptor output_read;
  descriptor output_write;
  if (!make_pipe(input_read, input_write) || !make_pipe(output_read, output_write)) return last_error();
  descriptor errors_read;
  descriptor errors_write;
  if (call.keeps_errors) {
    if (!make_pipe(errors_read, errors_write)) return last_error();
  } else {
    errors_write.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (errors_write.get() < 0) return last_error();
  }
  // Before the program is there to close its end, which would be a SIGPIPE; a pipe takes this much at once.
  const std::string& input = call.input;
  if (input.size() > PIPE_BUF) return make_error_code(boost::system::errc::argument_list_too_long);
  if (::write(input_write.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()))
    return last_error();
  input_write.reset();

  child_process::setup how;
  how.arguments = call.arguments;
  how.environment = call.environment;
  how.input = input_read.get();
  how.output = output_write.get();
  how.errors = errors_write.get();
  auto started = child_process::start(how);
  if (!started) return started.error();
  program = std::move(*started);
  error_code failure;
  output.assign(output_read.get(), failure);
  if (failure) return failure;
  output_read.release();
  if (!call.keeps_errors) return {};
  errors.assign(errors_read.get(), failure);
  if (failure) return failure;
  errors_read.release();
  errors.non_blocking(true, failure);
  return failure;
}

void program_run::watch() {
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

void program_run::watch_errors() {
  if (!errors.is_open()) return;
  // A read that is under way at the program's end would have what drain() looks for.
  errors.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](error_code code) {
    if (!code && self->read_errors()) self->watch_errors();
  });
}

bool program_run::read_errors() {
  std::array<char, 4096> block{};
  error_code failure;
  error_text.append(block.data(), errors.read_some(asio::buffer(block), failure));
  if (error_text.size() > kept_errors) error_text.erase(0, error_text.size() - kept_errors);
  return !failure || failure == asio::error::would_block;
}

void program_run::kill_after(std::chrono::milliseconds limit) {
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
void program_run::drain() {
  error_code failure;
  output.non_blocking(true, failure);
  std::array<char, 4096> block{};
  while (!failure && text.size() <= longest_output) {
    const std::size_t size = output.read_some(asio::buffer(block), failure);
    text.append(block.data(), size);
  }
  for (std::size_t i = 0; i < blocks_of_pipe && errors.is_open() && read_errors(); ++i) {
  }
}

}  // namespace

task<program_end> run_program(asio::any_io_executor executor, program_call call) {
  auto run = std::make_shared<program_run>(executor);
  run->longest_output = call.longest_output;
  program_end end;
  end.not_started = run->start(call);
  if (end.not_started) co_return end;
  run->watch();
  run->watch_errors();
  run->kill_after(call.timeout);
  std::array<char, 4096> block{};
  bool cancelled = false;
  for (bool open = true; !run->over() && open && run->text.size() <= run->longest_output;) {
    auto [code, size] = co_await run->output.async_read_some(asio::buffer(block), no_throw);
    run->text.append(block.data(), size);
    cancelled = co_await is_cancelled();
    open = !code && !cancelled;
  }
  // It may close its output and go on.
  while (!run->over() && !cancelled && run->text.size() <= run->longest_output) {
    auto [woken] = co_await run->ended.async_wait(no_throw);
    (void)woken;
    cancelled = co_await is_cancelled();
  }
  if (run->status) run->drain();
  run->stop();
  if (cancelled) co_return aborted();
  end.too_long = run->text.size() > run->longest_output;
  end.timed_out = run->timed_out;
  end.status = run->status.value_or(0);
  end.output = std::move(run->text);
  end.errors = std::move(run->error_text);
  co_return end;
}

}  // namespace dockline
