#pragma once

// Messages in a stream of bytes: a byte that tells of compression, the length in network byte order, the
// message. What is in the messages is protozero's business.

#include "dockline/core/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dockline::grpc {

inline constexpr std::size_t message_head_size = 5;

// What goes before a message of this size.
std::array<char, message_head_size> message_head(std::uint32_t size) noexcept;

// Takes messages out of the bytes of a call, one at a time:
//
//     auto eaten = decoder.eat(bytes);           // up to the end of a message, never beyond
//     if (decoder.done()) use(decoder.take());
//
// Memory is taken as bytes come, not as a length announces them.
class message_decoder {
 public:
  explicit message_decoder(std::size_t longest) : longest_(longest) {}

  // How many bytes were eaten; none while a whole message is not taken. Errors: errc::message_too_long for an
  // announced length above `longest`, errc::malformed_message for a compressed message, which this side never
  // says it could read; after an error there is nothing but that.
  result<std::size_t> eat(std::string_view bytes);

  bool done() const noexcept { return head_size_ == message_head_size && message_.size() == announced_; }
  // The whole message, once.
  std::string take();

  // To be asked when the bytes have ended: errc::connection_lost inside a message.
  error_code finish() const noexcept;

 private:
  std::size_t longest_;
  std::array<char, message_head_size> head_{};
  std::size_t head_size_ = 0;  // how much of it is there
  std::size_t announced_ = 0;
  std::string message_;
  error_code failure_;
};

}  // namespace dockline::grpc
