#include "support/faulty_relay.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>

namespace dockline::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using local = asio::local::stream_protocol;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
// Enough for a few answers, so that kept connections break as well.
constexpr std::size_t most_before_a_fault = 12'000;

enum class fault { none, refuse, cut, reset, stall };

}  // namespace

// In memory that both processes see.
struct faulty_relay::shared {
  std::atomic<int> port{0};
  std::atomic<std::uint64_t> connections{0};
  std::array<std::atomic<std::uint64_t>, 5> faults{};
};

namespace {

template <class Counts>
struct connection {
  connection(asio::io_context& context, fault own, std::size_t after, Counts& counted)
      : client(context), daemon(context), kind(own), left(after), counts(counted) {}

  void close() {
    boost::system::error_code ignored;
    client.close(ignored);
    daemon.close(ignored);
  }

  void break_off() {
    ++counts.faults[static_cast<std::size_t>(kind)];
    boost::system::error_code ignored;
    if (kind == fault::stall) {
      silent = true;
      return;
    }
    // Without it a close is an end; with it, a reset.
    if (kind == fault::reset) client.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  tcp::socket client;
  local::socket daemon;
  fault kind;
  std::size_t left;  // bytes of answers until it breaks
  bool silent = false;
  Counts& counts;
};

template <class Counts>
asio::awaitable<void> carry_requests(std::shared_ptr<connection<Counts>> line) {
  std::array<char, 16 * 1024> block;
  for (;;) {
    auto [ended, size] = co_await line->client.async_read_some(asio::buffer(block), no_throw);
    if (ended) break;
    if (line->silent) continue;
    auto [failed, sent] = co_await asio::async_write(line->daemon, asio::buffer(block, size), no_throw);
    if (failed) break;
  }
  // A half-close is passed on; nothing more is waited for from a peer that is gone.
  boost::system::error_code gone;
  line->daemon.shutdown(local::socket::shutdown_send, gone);
  if (gone || line->silent) line->close();
}

template <class Counts>
asio::awaitable<void> carry_answers(std::shared_ptr<connection<Counts>> line) {
  std::array<char, 16 * 1024> block;
  for (;;) {
    auto [ended, size] = co_await line->daemon.async_read_some(asio::buffer(block), no_throw);
    if (ended) break;
    const bool breaks = line->kind != fault::none && size >= line->left;
    const std::size_t passed = breaks ? line->left : size;
    auto [failed, sent] = co_await asio::async_write(line->client, asio::buffer(block, passed), no_throw);
    if (failed) break;
    line->left -= passed;
    if (!breaks) continue;
    line->break_off();
    co_return;
  }
  line->close();
}

template <class Counts>
asio::awaitable<void> serve(tcp::acceptor& listener, asio::io_context& context, std::string to,
                            unsigned percent, std::uint64_t seed, Counts& counts) {
  std::mt19937_64 random(seed);
  for (;;) {
    fault kind = fault::none;
    if (random() % 100 < percent) kind = static_cast<fault>(1 + random() % 4);
    auto line = std::make_shared<connection<Counts>>(context, kind, random() % most_before_a_fault, counts);
    auto [failed] = co_await listener.async_accept(line->client, no_throw);
    if (failed) continue;
    ++counts.connections;
    boost::system::error_code unreachable;
    line->daemon.connect(local::endpoint(to), unreachable);
    if (unreachable || kind == fault::refuse) {
      line->break_off();
      continue;
    }
    asio::co_spawn(context, carry_requests(line), asio::detached);
    asio::co_spawn(context, carry_answers(line), asio::detached);
  }
}

}  // namespace

faulty_relay::faulty_relay(const std::string& to, unsigned percent, std::uint64_t seed) {
  void* memory = ::mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  shared_ = new (memory) shared;
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("no process for the relay");
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::signal(SIGPIPE, SIG_IGN);
    asio::io_context context(1);
    tcp::acceptor listener(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    shared_->port = listener.local_endpoint().port();
    asio::co_spawn(context, serve(listener, context, to, percent, seed, *shared_), asio::detached);
    context.run();
    ::_exit(0);
  }
  while (shared_->port == 0) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) throw std::runtime_error("the relay did not start");
    ::usleep(1000);
  }
}

faulty_relay::~faulty_relay() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  ::munmap(shared_, sizeof(shared));
}

std::string faulty_relay::host() const { return "tcp://127.0.0.1:" + std::to_string(shared_->port); }

relay_counts faulty_relay::counts() const {
  relay_counts seen;
  seen.connections = shared_->connections;
  seen.refused = shared_->faults[1];
  seen.cut = shared_->faults[2];
  seen.reset = shared_->faults[3];
  seen.stalled = shared_->faults[4];
  return seen;
}

}  // namespace dockline::test
