// What no well-behaved peer sends: frames written by hand.

#include "h2/peer.hpp"
#include "unit/h2/conversation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace dockline::h2 {
namespace {

using namespace std::string_view_literals;

constexpr auto magic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv;

std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload) {
  std::string text;
  for (const int shift : {16, 8, 0}) text += static_cast<char>(payload.size() >> shift & 255);
  text += static_cast<char>(type);
  text += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(stream >> shift & 255);
  text += payload;
  return text;
}

std::string settings() { return frame(4, 0, 0, ""); }
// :method POST, :scheme http, :path / from the static table of HPACK, and :authority h.
std::string headers(std::uint32_t stream, int flags = 4) {
  return frame(1, flags, stream, "\x83\x86\x84\x01\x01h");
}
std::string many_headers(std::uint32_t first, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += headers(first + 2 * static_cast<std::uint32_t>(i));
  return text;
}
std::string opening() { return std::string(magic) + settings(); }

const std::string path_only = "headers :method=POST :scheme=http :path=/ :authority=h; ";

// The words that a server has for this input, however it is cut, and what the other side is told.
struct complaint {
  std::string words;
  bool goaway = false;

  bool operator==(const complaint&) const = default;
};

complaint complain(std::string_view input, std::size_t cut) {
  side server(role::server);
  complaint seen;
  std::string told;
  for (; !input.empty(); input.remove_prefix(std::min(cut, input.size()))) {
    server.eat(std::string(input.substr(0, cut)));
    told += server.take();
  }
  if (server.failure) {
    CHECK(server.failure == errc::malformed_http2);
    CHECK(server.self.done());
    CHECK(server.self.receive("more").error() == errc::malformed_http2);
    seen.words = server.self.words();
  }
  // Every frame of the answer is short: looked through by their heads.
  for (std::string_view rest = told; rest.size() >= 9;) {
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(rest[1]) << 8 |
                                               static_cast<unsigned char>(rest[2]));
    if (rest[3] == 7) seen.goaway = true;
    rest.remove_prefix(std::min(rest.size(), 9 + size));
  }
  return seen;
}

}  // namespace

TEST_SUITE("h2/peer frames") {
  TEST_CASE("what breaks the rules is an error that says how, and the other side is told") {
    struct {
      std::string_view name;
      std::string input;
      std::string_view words;  // a part of them
      bool goaway = true;
    } table[] = {
        {"no HTTP/2", "HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak HTTP/2", false},
        {"half of the preface is another one", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "does not speak HTTP/2",
         false},
        {"no settings first", std::string(magic) + headers(1), "PROTOCOL_ERROR"},
        {"settings of a wrong size", std::string(magic) + frame(4, 0, 0, "12345"), "FRAME_SIZE_ERROR"},
        {"settings on a stream", std::string(magic) + frame(4, 0, 1, ""), "PROTOCOL_ERROR"},
        {"data on no stream", opening() + frame(0, 0, 1, "x"), "PROTOCOL_ERROR"},
        {"data on the connection", opening() + frame(0, 0, 0, "x"), "PROTOCOL_ERROR"},
        {"a stream of the server's numbers", opening() + headers(2), "PROTOCOL_ERROR"},
        {"headers that cannot be decompressed", opening() + frame(1, 4, 1, "\xff\xff\xff\xff\xff\xff"),
         "COMPRESSION_ERROR"},
        {"a frame above the limit", opening() + std::string("\x00\x80\x00\x00\x00\x00\x00\x00\x01", 9),
         "FRAME_SIZE_ERROR"},
        {"a window that opens by nothing", opening() + frame(8, 0, 0, "\0\0\0\0"sv), "PROTOCOL_ERROR"},
        {"a window above the largest",
         opening() + frame(8, 0, 0, "\x7f\xff\xff\xff"sv) + frame(8, 0, 0, "\x7f\xff\xff\xff"sv),
         "FLOW_CONTROL_ERROR"},
        {"a promise by a client", opening() + frame(5, 4, 1, "\0\0\0\x02\x83"sv), "PROTOCOL_ERROR"},
        {"something between headers and their continuation",
         opening() + headers(1, 0) + frame(6, 0, 0, "12345678"), "PROTOCOL_ERROR"},
        {"padding longer than its frame", opening() + headers(1) + frame(0, 8, 1, "\xffx"), "PROTOCOL_ERROR"},
        {"a ping of a wrong size", opening() + frame(6, 0, 0, "123"), "FRAME_SIZE_ERROR"},
        {"more streams than the limit that was acknowledged",
         opening() + frame(4, 1, 0, "") + many_headers(1, 300), "PROTOCOL_ERROR"},
        {"a reset of no stream", opening() + frame(3, 0, 7, "\0\0\0\x08"sv), "PROTOCOL_ERROR"},
    };
    for (const auto& row : table) {
      CAPTURE(row.name);
      const complaint whole = complain(row.input, row.input.size());
      CAPTURE(whole.words);
      CHECK(whole.words.find(row.words) != std::string::npos);
      CHECK(whole.goaway == row.goaway);
      // libnghttp2 takes each piece of a CONTINUATION's head for a frame of its own, and eight of them for an
      // attack.
      const std::size_t cut = row.name.find("continuation") == std::string_view::npos ? 1 : 3;
      CHECK(complain(row.input, cut) == whole);
    }
  }

  TEST_CASE("a connection may end at any byte") {
    const std::string whole = opening() + headers(1) + frame(0, 1, 1, "body");
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      CAPTURE(cut);
      side server(role::server);
      server.eat(std::string_view(whole).substr(0, cut));
      server.take();
      CHECK(server.failure == error_code());
      CHECK(server.streams[1].log.find("end") == std::string::npos);
    }
  }

  TEST_CASE("unknown frames and padding are of no concern") {
    side server(role::server);
    server.eat(opening() + frame(99, 255, 0, "whatever") + headers(1) + frame(0, 8, 1, "\x02yes\0\0"sv) +
               frame(0, 1, 1, ""));
    CHECK(server.streams[1].log == path_only + "end; ");
    CHECK(server.streams[1].body == "yes");
    CHECK(server.failure == error_code());
  }

  TEST_CASE("pings are answered with their bytes") {
    side server(role::server);
    server.eat(opening());
    server.take();
    server.eat(frame(6, 0, 0, "12345678"));
    CHECK(server.take() == frame(6, 1, 0, "12345678"));
  }

  TEST_CASE("a peer that pings and never reads is not answered without end") {
    side server(role::server);
    server.eat(opening());
    std::string many;
    for (int i = 0; i < 100; ++i) many += frame(6, 0, 0, "12345678");
    int rounds = 0;
    while (!server.failure && ++rounds < 1000) server.eat(many);
    CHECK(rounds < 100);
    CHECK(server.failure == errc::malformed_http2);
  }

  TEST_CASE("streams above the limit are refused, more than the window is an error of theirs") {
    peer_limits small;
    small.concurrent_streams = 2;
    small.stream_window = 10;
    side server(role::server, small);
    server.consumes = false;
    // The client does not know the limit yet.
    server.eat(opening() + headers(1) + headers(3) + headers(5));
    CHECK(server.streams.count(5) == 0);
    CHECK(server.take().find(frame(3, 0, 5, "\0\0\0\x07"sv)) != std::string::npos);
    server.eat(frame(4, 1, 0, ""));
    server.eat(frame(0, 0, 1, "0123456789"));
    CHECK(server.streams[1].body == "0123456789");
    server.eat(frame(0, 0, 1, "a"));
    server.take();
    CHECK(server.streams[1].log == path_only + "closed FLOW_CONTROL_ERROR; ");
    CHECK(server.streams[3].log == path_only);
    CHECK(server.failure == error_code());
  }

  TEST_CASE("128 streams are open at once where nothing else is said, and the next one is refused") {
    side server(role::server);
    server.eat(opening() + many_headers(1, 129));
    CHECK(std::ranges::count_if(server.streams,
                                [](const auto& one) { return one.second.log == path_only; }) == 128);
    CHECK(server.streams.count(257) == 0);
    CHECK(server.take().find(frame(3, 0, 257, "\0\0\0\x07"sv)) != std::string::npos);
    CHECK(server.failure == error_code());
  }

  TEST_CASE("a client notices that the other side speaks something else") {
    side client(role::client);
    client.take();
    client.eat("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    client.take();
    CHECK(client.failure == errc::malformed_http2);
    CHECK(client.self.words().find("breaks the rules of HTTP/2") != std::string::npos);
  }
}

}  // namespace dockline::h2
