#pragma once

// Takes the stream of an attach, a log or an exec without a terminal apart: frames of eight bytes of header
// (the stream's number, three zero bytes, the length in network byte order) and a payload.

#include "dockline/core/error.hpp"
#include "dockline/progress/event.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dockline::engine {

// Payloads are passed on as they come, never held back: a frame of 4 GiB needs no memory.
//
//     frames.feed(chunk);
//     for (;;) {
//       auto piece = frames.next();
//       if (!piece) fail with piece.error();
//       if (!*piece) break;  // more bytes are needed
//       write((*piece)->stream, (*piece)->bytes);
//     }
class log_frames {
 public:
  struct piece {
    progress::output_stream stream;
    std::string_view bytes;  // never empty; part of the chunk that was fed
  };

  // Gives the next bytes of the stream. They stay where they are until next() has asked for more.
  void feed(std::string_view chunk) noexcept { chunk_ = chunk; }

  // The next bytes of a payload; empty when more bytes are needed. malformed_stream for a header that cannot
  // be one, after which there is nothing but that error.
  result<std::optional<piece>> next();

  // To be asked when the stream has ended: connection_lost when it did so inside a frame.
  error_code finish() const noexcept;

 private:
  std::string_view chunk_;
  std::array<unsigned char, 8> header_{};
  std::size_t header_size_ = 0;  // how much of it is there
  std::uint32_t left_ = 0;       // of the payload
  progress::output_stream stream_ = progress::output_stream::out;
  error_code failure_;
};

}  // namespace dockline::engine
