#include "grpc/wire.hpp"

#include <algorithm>
#include <utility>

namespace dockline::grpc {
namespace {

// What is reserved for a message before its bytes are there.
constexpr std::size_t reserved_at_once = 64 * 1024;

}  // namespace

std::array<char, message_head_size> message_head(std::uint32_t size) noexcept {
  std::array<char, message_head_size> head{};
  for (std::size_t i = 0; i < 4; ++i) head[1 + i] = static_cast<char>(size >> (24 - 8 * i) & 255);
  return head;
}

result<std::size_t> message_decoder::eat(std::string_view bytes) {
  if (failure_) return failure_;
  std::size_t eaten = 0;
  if (head_size_ < message_head_size) {
    eaten = std::min(message_head_size - head_size_, bytes.size());
    std::copy_n(bytes.data(), eaten, head_.data() + head_size_);
    head_size_ += eaten;
    bytes.remove_prefix(eaten);
    if (head_size_ > 0 && head_[0] != 0) return failure_ = errc::malformed_message;
    if (head_size_ < message_head_size) return eaten;
    announced_ = 0;
    for (std::size_t i = 1; i < message_head_size; ++i)
      announced_ = announced_ << 8 | static_cast<unsigned char>(head_[i]);
    if (announced_ > longest_) return failure_ = errc::message_too_long;
    message_.reserve(std::min(announced_, reserved_at_once));
  }
  const std::size_t count = std::min(announced_ - message_.size(), bytes.size());
  message_.append(bytes.substr(0, count));
  return eaten + count;
}

std::string message_decoder::take() {
  head_size_ = 0;
  announced_ = 0;
  return std::exchange(message_, {});
}

error_code message_decoder::finish() const noexcept {
  if (failure_) return failure_;
  return head_size_ == 0 ? error_code() : make_error_code(errc::connection_lost);
}

}  // namespace dockline::grpc
