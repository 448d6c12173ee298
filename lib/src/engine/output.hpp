#pragma once

#include "dockline/engine/containers.hpp"

#include "engine/log_frames.hpp"

#include <string_view>

namespace dockline::engine {

// What a container writes, as it comes over the wire: frames, or with a terminal the bytes themselves.
class output_decoder {
 public:
  explicit output_decoder(bool tty) : tty_(tty) {}

  error_code eat(std::string_view bytes, const output_sink& sink) {
    if (tty_) {
      if (sink) sink(progress::output_stream::out, bytes);
      return {};
    }
    frames_.feed(bytes);
    for (;;) {
      const auto piece = frames_.next();
      if (!piece) return piece.error();
      if (!*piece) return {};
      if (sink) sink((*piece)->stream, (*piece)->bytes);
    }
  }

  error_code finish() const { return tty_ ? error_code() : frames_.finish(); }

 private:
  bool tty_;
  log_frames frames_;
};

}  // namespace dockline::engine
