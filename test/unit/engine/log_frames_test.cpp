#include "engine/log_frames.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::engine {
namespace {

using namespace std::string_view_literals;
using progress::output_stream;

struct outcome {
  // What each stream wrote, in the order in which they took turns.
  std::vector<std::pair<output_stream, std::string>> written;
  error_code failure;
};

outcome take_apart(const std::vector<std::string_view>& chunks) {
  outcome seen;
  log_frames frames;
  for (const auto chunk : chunks) {
    const std::string own(chunk);
    frames.feed(own);
    for (;;) {
      const auto piece = frames.next();
      if (!piece) {
        seen.failure = piece.error();
        CHECK(frames.next().error() == seen.failure);
        CHECK(frames.finish() == seen.failure);
        return seen;
      }
      if (!*piece) break;
      CHECK_FALSE((*piece)->bytes.empty());
      if (seen.written.empty() || seen.written.back().first != (*piece)->stream)
        seen.written.emplace_back((*piece)->stream, "");
      seen.written.back().second += (*piece)->bytes;
    }
  }
  seen.failure = frames.finish();
  return seen;
}

std::string frame(char stream, std::string_view payload) {
  std::string text{stream, 0, 0, 0, 0, 0};
  text += static_cast<char>(payload.size() >> 8);
  text += static_cast<char>(payload.size() & 255);
  text += payload;
  return text;
}

void check(std::string_view bytes, const std::vector<std::pair<output_stream, std::string>>& written,
           error_code failure = {}) {
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    const auto seen = take_apart({bytes.substr(0, cut), bytes.substr(cut)});
    CHECK(seen.written == written);
    CHECK(seen.failure == failure);
  }
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
  const auto seen = take_apart(single);
  CHECK(seen.written == written);
  CHECK(seen.failure == failure);
}

}  // namespace

TEST_SUITE("engine/log_frames") {
  TEST_CASE("payloads come with their stream, however the bytes are cut") {
    check("", {});
    check(frame(1, "out\n") + frame(2, "err\n") + frame(0, "in") + frame(1, ""),
          {{output_stream::out, "out\n"}, {output_stream::err, "err\n"}, {output_stream::out, "in"}});
    check(frame(1, std::string(700, 'x')), {{output_stream::out, std::string(700, 'x')}});
  }

  TEST_CASE("the daemon's own word is an error output") {
    check(frame(3, "log driver gone"), {{output_stream::err, "log driver gone"}});
  }

  TEST_CASE("a header that cannot be one ends the stream, after what came before it") {
    check(frame(1, "ok") + frame(4, "x"), {{output_stream::out, "ok"}}, errc::malformed_stream);
    check("HTTP/1.1 200 OK", {}, errc::malformed_stream);
    check("\x01\x00\x00\x01\x00\x00\x00\x01x"sv, {}, errc::malformed_stream);
  }

  TEST_CASE("a stream that ends inside a frame was cut") {
    check(frame(1, "ok") + "\x01", {{output_stream::out, "ok"}}, errc::connection_lost);
    check(std::string_view(frame(2, "half")).substr(0, 10), {{output_stream::err, "ha"}},
          errc::connection_lost);
  }

  TEST_CASE("the longest frame needs no memory") {
    log_frames frames;
    frames.feed("\x01\x00\x00\x00\xff\xff\xff\xff"sv);
    CHECK_FALSE(*frames.next());
    const std::string block(65536, 'x');
    for (std::size_t i = 0; i < 65535; ++i) {
      frames.feed(block);
      const auto piece = frames.next();
      REQUIRE((*piece)->bytes.data() == block.data());
      REQUIRE((*piece)->bytes.size() == block.size());
    }
    CHECK(frames.finish() == errc::connection_lost);
    frames.feed(block);
    CHECK((*frames.next())->bytes.size() == 65535);
    CHECK_FALSE(*frames.next());  // the last byte begins the next header
    frames.feed(block);
    CHECK(frames.next().error() == errc::malformed_stream);
  }
}

}  // namespace dockline::engine
