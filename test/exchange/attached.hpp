#pragma once

// A container's streams over a fake daemon: attach, listen, frames.

#include "dockline/engine/attach.hpp"

#include "exchange/conversation.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::test {

inline const std::string upgraded =
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

inline std::string frame(char stream, std::string_view payload) {
  std::string text{stream, 0, 0, 0, 0, 0};
  text += static_cast<char>(payload.size() >> 8);
  text += static_cast<char>(payload.size() & 255);
  text += payload;
  return text;
}

// What a container wrote, each stream for itself.
struct heard {
  std::string out;
  std::string err;

  engine::output_sink sink() {
    return [this](progress::output_stream stream, std::string_view bytes) {
      (stream == progress::output_stream::out ? out : err) += bytes;
    };
  }
};

class attached : public conversation {
 public:
  using conversation::conversation;

  outcome<engine::attachment> attach(engine::attach_options options = {}) {
    return operation<engine::attachment>([&](diagnostics& why, auto token) {
      engine::async_container_attach(daemon, "c1", options, why, std::move(token));
    });
  }
  auto begin_listening(const engine::attachment& streams, heard& what,
                       std::shared_ptr<byte_source> input = nullptr) {
    return begin<nothing>([&](diagnostics& why, auto token) {
      engine::async_attachment_run(streams, std::move(input), what.sink(), why, std::move(token));
    });
  }
  outcome<nothing> listen(const engine::attachment& streams, heard& what,
                          std::shared_ptr<byte_source> input = nullptr) {
    auto seen = begin_listening(streams, what, std::move(input));
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }
  // Attaches, listens, lets go.
  outcome<nothing> all(heard& what, engine::attach_options options = {}) {
    auto streams = attach(options);
    REQUIRE(streams.code == error_code());
    return listen(streams.value, what);
  }
};

}  // namespace dockline::test
