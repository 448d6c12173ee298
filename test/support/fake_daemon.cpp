#include "support/fake_daemon.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace dockline::test {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t most_kept = std::size_t{1} << 20;

std::runtime_error system_failure(const char* what) {
  return std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

void close_descriptor(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

// The value of a field of a request, which our own client wrote: one form of each name.
std::string_view field(std::string_view head, std::string_view name) {
  const std::string start = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(start);
  if (at == head.npos) return {};
  head.remove_prefix(at + start.size());
  return head.substr(0, head.find("\r\n"));
}

std::uint64_t number_in(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (code != std::errc() || end != text.data() + text.size())
    throw script_broken{"not a number: " + std::string(text)};
  return value;
}

}  // namespace

void gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

bool gate::wait(std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, longest, [this] { return open_; });
}

scratch_folder::scratch_folder() {
  const char* parent = std::getenv("TMPDIR");
  path_ = std::string(parent != nullptr && *parent != '\0' ? parent : "/tmp") + "/dockline-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) throw system_failure("mkdtemp");
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

peer::peer(int descriptor, int stop_descriptor, std::size_t number)
    : descriptor_(descriptor), stop_descriptor_(stop_descriptor), number_(number) {}

peer::~peer() { close_descriptor(descriptor_); }

void peer::wait_for(short events) {
  pollfd both[2] = {{descriptor_, events, 0}, {stop_descriptor_, POLLIN, 0}};
  const int count = ::poll(both, 2, static_cast<int>(std::chrono::milliseconds(patience).count()));
  if (both[1].revents != 0) throw script_broken{"the test is over"};
  if (count == 0) throw script_broken{events == POLLIN ? "nothing came" : "nothing was read"};
}

bool peer::fill() {
  if (descriptor_ < 0) throw script_broken{"the script has closed the connection"};
  wait_for(POLLIN);
  const std::size_t kept = input_.size();
  input_.resize(kept + 256 * 1024);
  const ssize_t got = ::recv(descriptor_, input_.data() + kept, input_.size() - kept, MSG_DONTWAIT);
  input_.resize(kept + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got > 0) return true;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  record_.client_closed = true;
  return false;
}

std::string peer::take_input(std::size_t size) {
  std::string taken = input_.substr(0, size);
  input_.erase(0, size);
  return taken;
}

std::string peer::read_line() {
  std::size_t end = 0;
  while ((end = input_.find("\r\n")) == input_.npos) {
    if (!fill()) throw script_broken{"the client closed in the middle of a body"};
  }
  std::string line = take_input(end + 2);
  line.resize(end);
  return line;
}

void peer::read_exactly(std::uint64_t size, seen_request& into) {
  while (size > 0) {
    if (input_.empty() && !fill()) throw script_broken{"the client closed in the middle of a body"};
    const std::size_t some = static_cast<std::size_t>(std::min<std::uint64_t>(size, input_.size()));
    into.body.append(input_, 0, std::min(some, most_kept - std::min(most_kept, into.body.size())));
    input_.erase(0, some);
    into.body_bytes += some;
    size -= some;
  }
}

const seen_request& peer::read_head() {
  std::size_t end = 0;
  while ((end = input_.find("\r\n\r\n")) == input_.npos) {
    if (!fill()) throw script_broken{"the client closed before a request"};
  }
  record_.requests.emplace_back().head = take_input(end + 4);
  return record_.requests.back();
}

const seen_request& peer::read_body() {
  seen_request& request = record_.requests.back();
  if (field(request.head, "Transfer-Encoding") == "chunked") {
    while (const std::uint64_t size = number_in(read_line(), 16)) {
      read_exactly(size, request);
      if (!read_line().empty()) throw script_broken{"a chunk does not end where it should"};
    }
    if (!read_line().empty()) throw script_broken{"the last chunk has a trailer"};
  } else if (const auto length = field(request.head, "Content-Length"); !length.empty()) {
    read_exactly(number_in(length, 10), request);
  }
  request.complete = true;
  return request;
}

const seen_request& peer::read_request() {
  read_head();
  return read_body();
}

void peer::read_raw(std::size_t count) {
  while (input_.size() < count) {
    if (!fill()) throw script_broken{"the client closed"};
  }
}

std::string peer::take_raw() {
  while (input_.empty() && fill()) {
  }
  return take_input(input_.size());
}

void peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (descriptor_ < 0) throw script_broken{"the script has closed the connection"};
    wait_for(POLLOUT);
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      record_.client_closed = true;
      throw script_broken{std::string("cannot send: ") + std::strerror(errno)};
    }
  }
}

void peer::wait_until_read() {
  // The kernel tells how much is left, but has nothing to wait for.
  const auto end = clock::now() + patience;
  for (;;) {
    int left = 0;
    if (::ioctl(descriptor_, SIOCOUTQ, &left) != 0) throw script_broken{"ioctl"};
    if (left == 0) return;
    pollfd both[2] = {{descriptor_, 0, 0}, {stop_descriptor_, POLLIN, 0}};
    ::poll(both, 2, 0);
    if (both[1].revents != 0) throw script_broken{"the test is over"};
    if ((both[0].revents & POLLHUP) != 0) throw script_broken{"the client closed"};
    if (clock::now() > end) throw script_broken{"nothing was read"};
    std::this_thread::yield();
  }
}

void peer::send_split(std::string_view bytes, std::size_t at) {
  send(bytes.substr(0, at));
  wait_until_read();
  send(bytes.substr(at));
}

void peer::send_pieces(std::string_view bytes, std::size_t size, std::chrono::milliseconds time) {
  while (!bytes.empty()) {
    send(bytes.substr(0, size));
    wait_until_read();
    bytes.remove_prefix(std::min(size, bytes.size()));
    if (time.count() > 0) pause(time);
  }
}

bool peer::sees_open() const {
  char byte = 0;
  return ::recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

void peer::half_close() { ::shutdown(descriptor_, SHUT_WR); }

void peer::close() { close_descriptor(descriptor_); }

void peer::reset() {
  wait_for(POLLIN);
  close();
}

void peer::pause(std::chrono::milliseconds time) {
  pollfd stop = {stop_descriptor_, POLLIN, 0};
  if (::poll(&stop, 1, static_cast<int>(time.count())) != 0) throw script_broken{"the test is over"};
}

void peer::wait_for_close() {
  while (fill()) {
    record_.after += input_.substr(0, most_kept - std::min(most_kept, record_.after.size()));
    input_.clear();
  }
}

seen_connection peer::take_record() {
  record_.after += input_;
  return std::move(record_);
}

fake_daemon::fake_daemon(script serve, int backlog, std::shared_ptr<gate> may_accept)
    : path_(folder_ / "daemon.sock"), serve_(std::move(serve)), may_accept_(std::move(may_accept)) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path_.size() >= sizeof(where.sun_path)) throw std::runtime_error("TMPDIR is too long for a socket");
  std::memcpy(where.sun_path, path_.c_str(), path_.size() + 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0 ||
      ::listen(listener_, backlog) != 0 || ::pipe2(stop_, O_CLOEXEC) != 0) {
    throw system_failure("the fake daemon cannot listen");
  }
  accepting_ = std::thread([this] { accept_all(); });
}

fake_daemon::~fake_daemon() {
  // Both ends of the pipe stay open until nobody polls them.
  close_descriptor(stop_[1]);
  accepting_.join();
  for (auto& thread : serving_) thread.join();
  close_descriptor(listener_);
  close_descriptor(stop_[0]);
}

void fake_daemon::accept_all() {
  if (may_accept_) may_accept_->wait();
  for (;;) {
    pollfd both[2] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(both, 2, -1);
    if (both[1].revents != 0) return;
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) continue;
    const std::size_t number = accepted_++;
    {
      const std::lock_guard lock(mutex_);
      seen_.emplace_back();
    }
    serving_.emplace_back([this, descriptor, number] {
      seen_connection seen;
      {
        peer client(descriptor, stop_[0], number);
        std::string failure;
        bool done = false;
        try {
          serve_(client);
          done = true;
        } catch (const script_broken& broken) {
          failure = broken.why;
        }
        seen = client.take_record();
        seen.script_done = done;
        seen.script_failure = std::move(failure);
      }
      const std::lock_guard lock(mutex_);
      seen_[number] = std::move(seen);
      ++over_;
      changed_.notify_all();
    });
  }
}

fake_daemon::script fake_daemon::in_turn(std::vector<script> scripts) {
  return [scripts = std::move(scripts)](peer& client) {
    scripts[std::min(client.number(), scripts.size() - 1)](client);
  };
}

std::vector<seen_connection> fake_daemon::wait(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return over_ >= count && over_ == seen_.size(); });
  return {seen_.begin(), seen_.end()};
}

bool fake_daemon::wait_until_quiet() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return over_ == seen_.size(); });
}

std::string json_answer(std::string_view body, std::string_view status) {
  return "HTTP/1.1 " + std::string(status) + "\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string chunked_answer(const std::vector<std::string>& parts, std::string_view status) {
  std::string text = "HTTP/1.1 " + std::string(status) +
                     "\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n" +
                     "Transfer-Encoding: chunked\r\n\r\n";
  char digits[20];
  for (const auto& part : parts) {
    text.append(digits, std::to_chars(digits, digits + sizeof(digits), part.size(), 16).ptr);
    text += "\r\n" + part + "\r\n";
  }
  return text + "0\r\n\r\n";
}

}  // namespace dockline::test
