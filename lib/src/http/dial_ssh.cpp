#include "dockline/core/diagnostics.hpp"
#include "dockline/core/make_stream.hpp"

#include "core/child_process.hpp"
#include "core/encoding.hpp"
#include "core/last_error.hpp"
#include "core/own_thread.hpp"
#include "core/transfer.hpp"
#include "http/dial.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace dockline::http {
namespace {

using protocol = asio::local::stream_protocol;
using namespace std::chrono_literals;

// Of what ssh prints, the end is kept: a banner comes first, the reason last.
constexpr std::size_t most_words = 2048;
// How long a process whose output ended is given to end as well.
constexpr auto farewell = 1s;
constexpr auto glance = 2ms;

// A word for the shell of the other host.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + '\'';
}

// As docker's own connection helper has it.
std::vector<std::string> command_for(const address& where, std::chrono::milliseconds deadline) {
  std::vector<std::string> words = {"ssh"};
  if (deadline.count() > 0) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(deadline).count();
    words.insert(words.end(), {"-o", "ConnectTimeout=" + std::to_string(seconds)});
  }
  words.push_back("-T");
  if (!where.user.empty()) words.insert(words.end(), {"-l", where.user});
  if (where.port != 0) words.insert(words.end(), {"-p", std::to_string(where.port)});
  words.insert(words.end(), {"--", where.host, "docker"});
  if (!where.path.empty()) words.insert(words.end(), {"--host", quoted("unix://" + where.path)});
  words.insert(words.end(), {"system", "dial-stdio"});
  return words;
}

// A child that is reaped as soon as it ends, also when no operation runs: not by the event loop, which a
// connection that nobody uses must not keep running.
class reaped_child {
 public:
  ~reaped_child() { end(); }

  void start(child_process own) {
    process_ = std::move(own);
    reaper_ = own_thread([this, id = process_.id()] {
      child_process::wait(id);
      (void)poll();
    });
  }
  std::optional<int> poll() {
    const std::lock_guard lock(mutex_);
    return process_.poll();
  }
  void end() noexcept {
    if (!reaper_.joinable()) return;
    {
      // Its number is its own until the reaper has had it.
      const std::lock_guard lock(mutex_);
      process_.kill();
    }
    reaper_.join();
  }

 private:
  std::mutex mutex_;
  child_process process_;
  std::thread reaper_;
};

// What the stream and the operations that run on it share.
struct ssh_state : std::enable_shared_from_this<ssh_state> {
  ssh_state(const asio::any_io_executor& own, std::string name)
      : executor(own), host(std::move(name)), socket(own), errors(own) {}

  asio::any_io_executor executor;
  std::string host;
  std::array<char, 1024> block{};  // outlives the descriptor that is read into it
  protocol::socket socket;
  asio::posix::stream_descriptor errors;
  reaped_child process;
  std::string printed;
  bool reading = false;    // somebody waits for bytes
  bool listening = false;  // and so for what ssh prints
  bool errors_over = false;
  bool answered = false;
  std::string words;

  // Nothing that ssh prints may hold it back, and only its end has the reason.
  void listen() {
    if (listening || errors_over) return;
    listening = true;
    errors.async_read_some(
        asio::buffer(block),
        asio::bind_executor(executor, [weak = weak_from_this()](error_code code, std::size_t size) {
          const auto self = weak.lock();
          if (!self) return;
          self->listening = false;
          self->printed.append(self->block.data(), size);
          if (self->printed.size() > most_words) self->printed.erase(0, self->printed.size() - most_words);
          if (code && code != asio::error::operation_aborted) self->errors_over = true;
          if (self->reading) self->listen();
        }));
  }

  void close() {
    error_code ignored;
    reading = false;
    socket.close(ignored);
    errors.close(ignored);
    process.end();
  }

  std::string said() const {
    std::string line;
    for (const char c : to_utf8(printed)) {
      const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7f;
      if (c == '\n' && !line.empty() && line.back() != ' ') line += "; ";
      if (!control) line += c;
    }
    while (line.ends_with("; ")) line.resize(line.size() - 2);
    return line;
  }

  // The output of ssh has ended. Whether that is how connections end, or ssh failed, its status tells.
  asio::awaitable<error_code> explain() {
    asio::steady_timer pause(executor);
    const auto end = std::chrono::steady_clock::now() + farewell;
    std::optional<int> status;
    for (;;) {
      status = process.poll();
      // One that stays behind as a master for other connections holds the pipe.
      if ((status && errors_over) || std::chrono::steady_clock::now() > end) break;
      pause.expires_after(glance);
      (void)co_await pause.async_wait(no_throw);
      if (co_await is_cancelled()) co_return aborted();
    }
    if (answered && (!status || *status == 0)) co_return asio::error::eof;
    words = "ssh to " + host + ": " + said();
    if (printed.empty() && status) words += "ended with status " + std::to_string(*status);
    co_return answered ? errc::connection_lost : errc::cannot_connect;
  }

  task<std::size_t> read(asio::mutable_buffer block_to_fill) {
    reading = true;
    listen();
    auto [code, size] = co_await socket.async_read_some(block_to_fill, no_throw);
    const bool cancelled = co_await is_cancelled();
    if (code && code != asio::error::operation_aborted && !cancelled) code = co_await explain();
    reading = false;
    error_code ignored;
    errors.cancel(ignored);
    if (cancelled) co_return aborted();
    if (code) co_return code;
    answered = true;
    co_return size;
  }
};

class ssh_stream final : public stream {
 public:
  explicit ssh_stream(std::shared_ptr<ssh_state> state) : state_(std::move(state)) {}
  ~ssh_stream() override { state_->close(); }

  asio::any_io_executor get_executor() override { return state_->executor; }

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    spawn<std::size_t>(state_->executor, nullptr, std::move(handler),
                       [state = state_, block](diagnostics&) { return state->read(block); });
  }

  void async_write_some(std::span<const asio::const_buffer> blocks, transfer_handler handler) override {
    state_->socket.async_write_some(std::vector<asio::const_buffer>(blocks.begin(), blocks.end()),
                                    transfer_completion(state_->executor, std::move(handler)));
  }

  bool quiet() override { return is_quiet_socket(state_->socket.native_handle()); }

  // ssh closes the other side's standard input then.
  error_code shutdown_send() override {
    error_code code;
    state_->socket.shutdown(asio::socket_base::shutdown_send, code);
    return code;
  }

  std::string why() const override { return state_->words; }

  void close() noexcept override { state_->close(); }

 private:
  std::shared_ptr<ssh_state> state_;
};

// The two ends of what ssh gets as standard input and output, and of the pipe for its errors.
struct channels {
  channels() = default;
  channels(const channels&) = delete;
  channels& operator=(const channels&) = delete;
  ~channels() {
    for (const int one : {data[0], data[1], errors[0], errors[1]}) {
      if (one >= 0) ::close(one);
    }
  }
  bool open() {
    return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, data) == 0 && ::pipe2(errors, O_CLOEXEC) == 0;
  }

  int data[2] = {-1, -1};
  int errors[2] = {-1, -1};
};

}  // namespace

task<std::unique_ptr<stream>> dial_ssh(asio::any_io_executor executor, address where,
                                       std::chrono::milliseconds deadline, diagnostics& why) {
  const auto fail = [&](const error_code& code) {
    const bool missing = code == boost::system::errc::no_such_file_or_directory;
    why.set_client_message(cannot_connect_to(where) +
                           (missing ? "there is no program ssh in PATH" : "ssh: " + code.message()));
    return errc::cannot_connect;
  };
  channels ends;
  if (!ends.open()) co_return fail(last_error());
  child_process::setup how;
  how.arguments = command_for(where, deadline);
  how.input = ends.data[1];
  how.output = ends.data[1];
  how.errors = ends.errors[1];
  auto process = child_process::start(how);
  if (!process) co_return fail(process.error());

  auto state = std::make_shared<ssh_state>(executor, where.host);
  state->process.start(std::move(*process));
  error_code code;
  state->socket.assign(protocol(), std::exchange(ends.data[0], -1), code);
  if (!code) state->errors.assign(std::exchange(ends.errors[0], -1), code);
  if (code) co_return fail(code);
  co_return std::make_unique<ssh_stream>(std::move(state));
}

}  // namespace dockline::http
