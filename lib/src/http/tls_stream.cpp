#include "http/tls_stream.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/transfer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace dockline::http {
namespace {

// Two records of the largest size a read; eight a write.
constexpr std::size_t record_read_size = 32 * 1024;
constexpr std::size_t write_size = 128 * 1024;

// What the stream and the operations that run on it share.
struct tls_state {
  tls_state(std::unique_ptr<stream> own, asio::any_io_executor where,
            std::shared_ptr<const tls_context> context, const std::string& host)
      : below(std::move(own)),
        executor(std::move(where)),
        session(std::move(context), host),
        input(record_read_size) {}

  std::unique_ptr<stream> below;
  asio::any_io_executor executor;
  tls_session session;
  std::vector<char> input;
  std::string output;

  // Reads more from the peer, or hears of its end.
  task<void> fetch() {
    auto [code, size] = co_await read_some(*below, asio::buffer(input));
    if (co_await is_cancelled()) co_return aborted();
    if (code == asio::error::eof) {
      session.feed_end();
    } else if (code) {
      co_return code;
    } else {
      session.feed(asio::buffer(input.data(), size));
    }
    co_return result<void>();
  }

  // Only the writing side sends. What reading makes (the answer to a change of keys) may wait for it.
  task<void> flush() {
    output = session.take_output();
    if (output.empty()) co_return result<void>();
    auto written = co_await write_all(*below, asio::buffer(output));
    co_return written;
  }

  task<std::size_t> read(asio::mutable_buffer block) {
    for (;;) {
      auto got = session.read(block);
      if (!got || *got > 0) co_return got;
      if (auto fetched = co_await fetch(); !fetched) co_return fetched.error();
    }
  }

  task<std::size_t> write(std::vector<asio::const_buffer> blocks) {
    std::size_t total = 0;
    for (const auto& block : blocks) {
      const auto some = asio::buffer(block, write_size - total);
      if (auto written = session.write(some); !written) co_return written.error();
      total += some.size();
    }
    auto flushed = co_await flush();
    if (!flushed) co_return flushed.error();
    co_return total;
  }
};

class tls_stream final : public stream {
 public:
  explicit tls_stream(std::shared_ptr<tls_state> state) : state_(std::move(state)) {}
  ~tls_stream() override { close(); }

  asio::any_io_executor get_executor() override { return state_->executor; }

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    spawn<std::size_t>(state_->executor, nullptr, std::move(handler),
                       [state = state_, block](diagnostics&) { return state->read(block); });
  }

  void async_write_some(std::span<const asio::const_buffer> blocks, transfer_handler handler) override {
    spawn<std::size_t>(state_->executor, nullptr, std::move(handler),
                       [state = state_, copy = std::vector<asio::const_buffer>(blocks.begin(), blocks.end())](
                           diagnostics&) { return state->write(copy); });
  }

  bool quiet() override { return state_->below->quiet(); }

  error_code shutdown_send() override {
    state_->session.end_writing();
    spawn<void>(state_->executor, nullptr, completion_handler<void>([](error_code) {}),
                [state = state_](diagnostics&) { return state->flush(); });
    return {};
  }

  void close() noexcept override { state_->below->close(); }

  std::string why() const override {
    return state_->session.words().empty() ? state_->below->why() : state_->session.words();
  }

 private:
  std::shared_ptr<tls_state> state_;
};

}  // namespace

task<std::unique_ptr<stream>> secure(std::unique_ptr<stream> below, asio::any_io_executor executor,
                                     std::shared_ptr<const tls_context> context, std::string host,
                                     diagnostics& why) {
  auto state = std::make_shared<tls_state>(std::move(below), executor, std::move(context), host);
  for (;;) {
    auto done = state->session.handshake(why);
    auto flushed = co_await state->flush();
    if (co_await is_cancelled()) co_return aborted();
    if (!done) co_return done.error();
    if (!flushed) co_return flushed.error();
    if (*done) break;
    if (auto fetched = co_await state->fetch(); !fetched) {
      why.set_client_message(fetched.error().message());
      co_return fetched.error();
    }
  }
  co_return std::make_unique<tls_stream>(std::move(state));
}

}  // namespace dockline::http
