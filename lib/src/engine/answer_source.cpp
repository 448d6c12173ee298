#include "engine/answer_source.hpp"

#include "dockline/core/diagnostics.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace dockline::engine {
namespace {

// Everything is used on the client's strand only, and stays there until the last read is over, also when the
// source is gone.
struct answer_body {
  std::shared_ptr<client_state> state;
  std::unique_ptr<http::exchange> over;
  std::string_view rest;  // of what was read last
  bool ended = false;
};

task<std::size_t> read_body(std::shared_ptr<answer_body> body, asio::mutable_buffer block, diagnostics& why) {
  if (body->rest.empty() && !body->ended) {
    auto some = co_await body->over->read_some(why);
    if (!some) co_return some.error();
    body->rest = *some;
    if (body->rest.empty()) {
      body->ended = true;
      body->state->connections->give_back(*body->over);
    }
  }
  const std::size_t size = std::min(block.size(), body->rest.size());
  if (size > 0) std::memcpy(block.data(), body->rest.data(), size);
  body->rest.remove_prefix(size);
  co_return size;
}

class answer_source final : public byte_source {
 public:
  explicit answer_source(std::shared_ptr<answer_body> body) : body_(std::move(body)) {
    const std::string_view length = body_->over->head().find("Content-Length");
    std::uint64_t number = 0;
    const auto [end, bad] = std::from_chars(length.data(), length.data() + length.size(), number);
    if (!length.empty() && bad == std::errc() && end == length.data() + length.size()) size_ = number;
  }
  answer_source(const answer_source&) = delete;
  answer_source& operator=(const answer_source&) = delete;
  ~answer_source() override {
    // The exchange may only be touched on its strand.
    const auto strand = body_->state->strand;
    asio::post(strand, [body = std::move(body_)] {});
  }

  std::optional<std::uint64_t> size() const override { return size_; }

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    spawn<std::size_t>(body_->state->strand, &why_, completion_handler<std::size_t>(std::move(handler)),
                       [body = body_, block](diagnostics& words) { return read_body(body, block, words); });
  }

  const diagnostics& why() const noexcept override { return why_; }

 private:
  std::shared_ptr<answer_body> body_;
  std::optional<std::uint64_t> size_;
  diagnostics why_;
};

}  // namespace

std::shared_ptr<byte_source> make_answer_source(std::shared_ptr<client_state> state,
                                                std::unique_ptr<http::exchange> over) {
  auto body = std::make_shared<answer_body>();
  body->state = std::move(state);
  body->over = std::move(over);
  return std::make_shared<answer_source>(std::move(body));
}

}  // namespace dockline::engine
