#include "gcp/upload_pieces.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/transfer.hpp"

#include <algorithm>
#include <utility>

namespace dockline::gcp {
namespace {

// What is asked of the source at once: the work executor's share of a turn.
constexpr std::size_t block_size = 256 * 1024;
// One that is on its way, and one that is filled meanwhile.
constexpr std::size_t most_pieces = 2;

}  // namespace

void upload_pieces::begin(std::shared_ptr<byte_source> source) {
  filled_ = {};
  held_.clear();
  end_ = 0;
  state_ = std::make_shared<filling>();
  state_->source = std::move(source);
  state_->on_read = on_read_;
  fill_another();
}

task<void> upload_pieces::fill(std::shared_ptr<filling> state, std::size_t capacity) {
  piece& into = *state->into;
  while (into.size < capacity) {
    const asio::mutable_buffer block(into.memory.get() + into.size,
                                     std::min(block_size, capacity - into.size));
    auto [code, size] = co_await read_some(*state->source, block);
    if (co_await is_cancelled()) co_return aborted();
    if (code) {
      state->words = state->source->why().client_message();
      co_return code;
    }
    if (state->on_read) state->on_read(*state->source);
    if (size == 0) {
      state->ended = true;
      break;
    }
    state->crc.add(asio::const_buffer(block.data(), size));
    into.size += size;
  }
  co_return result<void>();
}

void upload_pieces::fill_another() {
  if (state_->ended || filled_.started() || held_.size() >= most_pieces) return;
  state_->into = std::make_shared<piece>();
  state_->into->memory = std::make_unique_for_overwrite<char[]>(piece_size_);
  filled_ = pending<void>::start(
      executor_, state_,
      [executor = executor_, state = state_, size = piece_size_](completion_handler<void> handler) {
        spawn<void>(executor, nullptr, std::move(handler),
                    [state, size](diagnostics&) { return fill(state, size); });
      });
}

task<std::uint64_t> upload_pieces::next(diagnostics& why) {
  if (!filled_.started()) fill_another();
  if (!filled_.started()) co_return std::uint64_t{0};
  auto done = co_await filled_.get();
  if (co_await is_cancelled()) co_return aborted();
  if (!done) {
    why.clear();
    why.set_client_message(state_->words);
    co_return done.error();
  }
  auto fresh = std::move(state_->into);
  const std::uint64_t size = fresh->size;
  if (size > 0) {
    fresh->begin = end_;
    end_ += size;
    held_.push_back(std::move(fresh));
  }
  fill_another();
  co_return size;
}

std::vector<http::body_part> upload_pieces::bytes(std::uint64_t from, std::uint64_t to) const {
  std::vector<http::body_part> parts;
  for (const auto& one : held_) {
    const std::uint64_t first = std::max(from, one->begin);
    const std::uint64_t last = std::min(to, one->begin + one->size);
    if (first >= last) continue;
    parts.emplace_back(one, asio::buffer(one->memory.get() + (first - one->begin), last - first));
  }
  return parts;
}

void upload_pieces::drop_below(std::uint64_t position) {
  while (!held_.empty() && held_.front()->begin + held_.front()->size <= position) held_.pop_front();
  if (state_) fill_another();
}

}  // namespace dockline::gcp
