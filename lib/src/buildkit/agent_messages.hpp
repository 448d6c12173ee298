#pragma once

// The protocol of ssh agents, as far as it has to be known to let through what a build may ask for.
//
// Source: draft-miller-ssh-agent, sections 3 and 5.1.

#include "dockline/core/error.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace dockline::buildkit {

// Takes messages out of the bytes of a connection: four bytes of length in network byte order, and as many
// bytes, of which the first is the kind. As grpc::message_decoder.
class agent_messages {
 public:
  // How many bytes were eaten, up to the end of one message. Errors: errc::message_too_long above what
  // OpenSSH's agent takes, errc::malformed_stream for a message without a kind; then nothing but that.
  result<std::size_t> eat(std::string_view bytes);

  bool done() const noexcept { return head_size_ == head_.size() && body_.size() == announced_; }
  // The whole message with its length, once.
  std::string take();

  // errc::connection_lost inside a message.
  error_code finish() const noexcept;

 private:
  std::array<char, 4> head_{};
  std::size_t head_size_ = 0;
  std::size_t announced_ = 0;
  std::string body_;
  error_code failure_;
};

// Whether a request, with its length, is one of those that a build may make: list the keys, sign.
bool is_allowed(std::string_view request) noexcept;

// What an agent answers a request with that it does not do.
std::string agent_failure();

}  // namespace dockline::buildkit
