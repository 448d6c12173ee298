#include "support/planned_relay.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace dockline::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using any_socket = asio::generic::stream_protocol::socket;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t throttled_piece = 512;
constexpr std::chrono::milliseconds throttled_pause{1};

// What the connections of one plan share.
struct running_plan {
  explicit running_plan(line_plan own) : what(own) {}

  line_plan what;
  std::size_t answered = 0;
  std::size_t requested = 0;
  bool done = false;  // of one that is for once
};

struct connection {
  connection(asio::io_context& context, std::shared_ptr<running_plan> own)
      : client(context), server(context), pause(context), plan(std::move(own)) {}

  void close() {
    boost::system::error_code ignored;
    client.close(ignored);
    server.close(ignored);
  }

  tcp::socket client;
  any_socket server;
  asio::steady_timer pause;
  std::shared_ptr<running_plan> plan;
  bool silent = false;
};

// Hands on what was read. False: the connection is broken off.
template <class To>
asio::awaitable<bool> hand_on(connection& line, To& to, asio::mutable_buffer bytes, std::size_t before,
                              bool planned) {
  const line_plan& what = line.plan->what;
  const std::size_t end = before + bytes.size();
  std::size_t piece = bytes.size();
  bool breaks = false;
  if (planned && end > what.at && !line.plan->done) {
    switch (what.kind) {
      case line_fault::none: break;
      case line_fault::cut:
      case line_fault::reset:
      case line_fault::stall:
        breaks = true;
        bytes = asio::buffer(bytes, before < what.at ? what.at - before : 0);
        break;
      case line_fault::corrupt:
        if (before <= what.at) static_cast<char*>(bytes.data())[what.at - before] ^= 4;
        break;
      case line_fault::dribble: piece = 1; break;
      case line_fault::throttle: piece = throttled_piece; break;
    }
  }
  while (bytes.size() > 0) {
    const auto next = asio::buffer(bytes, piece);
    auto [failed, sent] = co_await asio::async_write(to, next, no_throw);
    if (failed) co_return false;
    bytes += sent;
    if (planned && what.kind == line_fault::throttle) {
      line.pause.expires_after(throttled_pause);
      co_await line.pause.async_wait(no_throw);
    }
  }
  co_return !breaks;
}

void break_off(connection& line) {
  boost::system::error_code ignored;
  line.plan->done = line.plan->what.once;
  if (line.plan->what.kind == line_fault::stall) {
    line.silent = true;
    return;
  }
  // Without it a close is an end; with it, a reset.
  if (line.plan->what.kind == line_fault::reset)
    line.client.set_option(asio::socket_base::linger(true, 0), ignored);
  line.close();
}

template <class From, class To>
asio::awaitable<void> carry(std::shared_ptr<connection> line, From& from, To& to, bool requests) {
  std::array<char, 16 * 1024> block;
  std::size_t& carried = requests ? line->plan->requested : line->plan->answered;
  for (;;) {
    auto [ended, size] = co_await from.async_read_some(asio::buffer(block), no_throw);
    if (ended) break;
    if (line->silent) continue;
    const std::size_t before = carried;
    carried = before + size;
    const bool planned = requests == line->plan->what.requests;
    if (co_await hand_on(*line, to, asio::buffer(block, size), before, planned)) continue;
    if (planned) break_off(*line);
    co_return;
  }
  // A half-close is passed on.
  boost::system::error_code gone;
  to.shutdown(asio::socket_base::shutdown_send, gone);
  if (gone || line->silent || !requests) line->close();
}

}  // namespace

struct planned_relay::state {
  state() : listener(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  asio::awaitable<void> serve() {
    for (;;) {
      auto [failed, client] = co_await listener.async_accept(no_throw);
      if (failed) co_return;
      auto line = std::make_shared<connection>(context, plan);
      line->client = std::move(client);
      boost::system::error_code unreachable;
      line->client.set_option(tcp::no_delay(true), unreachable);
      line->server.connect(target, unreachable);
      if (unreachable) continue;
      std::erase_if(open, [](const auto& one) { return one.expired(); });
      open.push_back(line);
      asio::co_spawn(context, carry(line, line->client, line->server, true), asio::detached);
      asio::co_spawn(context, carry(line, line->server, line->client, false), asio::detached);
    }
  }

  asio::io_context context{1};
  tcp::acceptor listener;
  asio::generic::stream_protocol::endpoint target;
  std::shared_ptr<running_plan> plan = std::make_shared<running_plan>(line_plan());
  std::vector<std::weak_ptr<connection>> open;
  std::thread thread;
};

planned_relay::planned_relay(const std::string& to) : state_(std::make_unique<state>()) {
  if (to.starts_with(':')) {
    const auto port = static_cast<std::uint16_t>(std::stoi(to.substr(1)));
    state_->target = tcp::endpoint(asio::ip::address_v4::loopback(), port);
  } else {
    state_->target = asio::local::stream_protocol::endpoint(to);
  }
  asio::co_spawn(state_->context, state_->serve(), asio::detached);
  state_->thread = std::thread([own = state_.get()] { own->context.run(); });
}

planned_relay::~planned_relay() {
  state_->context.stop();
  state_->thread.join();
}

std::uint16_t planned_relay::port() const noexcept { return state_->listener.local_endpoint().port(); }

void planned_relay::plan(line_plan what) {
  asio::post(state_->context, asio::use_future([own = state_.get(), what] {
               for (const auto& one : own->open) {
                 if (const auto line = one.lock()) line->close();
               }
               own->open.clear();
               own->plan = std::make_shared<running_plan>(what);
             }))
      .get();
}

std::size_t planned_relay::answered() const {
  return asio::post(state_->context, asio::use_future([own = state_.get()] { return own->plan->answered; }))
      .get();
}
std::size_t planned_relay::requested() const {
  return asio::post(state_->context, asio::use_future([own = state_.get()] { return own->plan->requested; }))
      .get();
}

}  // namespace dockline::test
