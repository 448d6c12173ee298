#include "buildkit/agent_messages.hpp"

#include <algorithm>

namespace dockline::buildkit {
namespace {

constexpr std::size_t longest = 256 * 1024;

constexpr unsigned char failure = 5;
constexpr unsigned char request_identities = 11;
constexpr unsigned char sign_request = 13;

}  // namespace

result<std::size_t> agent_messages::eat(std::string_view bytes) {
  if (failure_) return failure_;
  std::size_t eaten = 0;
  if (head_size_ < head_.size()) {
    eaten = std::min(head_.size() - head_size_, bytes.size());
    std::copy_n(bytes.data(), eaten, head_.data() + head_size_);
    head_size_ += eaten;
    bytes.remove_prefix(eaten);
    if (head_size_ < head_.size()) return eaten;
    announced_ = 0;
    for (const char byte : head_) announced_ = announced_ << 8 | static_cast<unsigned char>(byte);
    if (announced_ == 0) return failure_ = errc::malformed_stream;
    if (announced_ > longest) return failure_ = errc::message_too_long;
  }
  const std::size_t count = std::min(announced_ - body_.size(), bytes.size());
  body_.append(bytes.substr(0, count));
  return eaten + count;
}

std::string agent_messages::take() {
  std::string whole(head_.data(), head_.size());
  whole += body_;
  body_.clear();
  head_size_ = 0;
  announced_ = 0;
  return whole;
}

error_code agent_messages::finish() const noexcept {
  if (failure_) return failure_;
  return head_size_ == 0 ? error_code() : make_error_code(errc::connection_lost);
}

bool is_allowed(std::string_view request) noexcept {
  if (request.size() < 5) return false;
  const auto kind = static_cast<unsigned char>(request[4]);
  return kind == request_identities || kind == sign_request;
}

std::string agent_failure() { return {'\0', '\0', '\0', '\1', static_cast<char>(failure)}; }

}  // namespace dockline::buildkit
