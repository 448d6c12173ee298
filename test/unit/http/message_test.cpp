#include "http/message.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dockline::http {
namespace {

using namespace std::string_view_literals;

struct decoded {
  error_code failure;
  bool head_done = false;
  bool done = false;
  bool keep_alive = false;
  int status = 0;
  std::string reason;
  std::string fields;
  std::string body;
  std::string left;  // what belongs to somebody else

  bool operator==(const decoded&) const = default;
};

// As an exchange does it: what was not eaten is offered again with more behind it.
decoded decode(const std::vector<std::string_view>& chunks, bool end = true, std::uint32_t limit = 1000) {
  decoder_limits bounds;
  bounds.head = limit;
  response_decoder decoder(bounds);
  decoded seen;
  std::string input;
  for (const auto chunk : chunks) {
    input += chunk;
    const auto eaten = decoder.eat(boost::asio::buffer(input), seen.body);
    if (!eaten) {
      seen.failure = eaten.error();
      // What came before the mistake depends on the cuts, and counts for nothing.
      seen.body.clear();
      return seen;
    }
    input.erase(0, *eaten);
  }
  if (end) {
    if (const auto over = decoder.eat_end(); !over) seen.failure = over.error();
  }
  seen.head_done = decoder.head_done();
  seen.done = decoder.done();
  if (seen.head_done) {
    seen.keep_alive = seen.done && decoder.keep_alive();
    seen.status = decoder.head().status;
    seen.reason = decoder.head().reason;
    for (const auto& [name, value] : decoder.head().fields) seen.fields += name + '=' + value + ';';
  }
  if (seen.done) seen.left = input;
  return seen;
}

// Beast finds some mistakes sooner in a whole text than in pieces of it; it is an error in any case.
bool same(const decoded& one, const decoded& other) { return (one.failure && other.failure) || one == other; }

// The same for every cut in two, and byte by byte.
decoded decode_every_way(std::string_view text, bool end = true) {
  const decoded whole = decode({text}, end);
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  CHECK(same(decode(bytes, end), whole));
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    CAPTURE(cut);
    CHECK(same(decode({text.substr(0, cut), text.substr(cut)}, end), whole));
  }
  return whole;
}

result<std::string> encode(request_head head, std::optional<std::uint64_t> length, diagnostics& why) {
  body_framing framing;
  framing.length = length;
  return encode_head(head, framing, why);
}

}  // namespace

TEST_SUITE("http/message") {
  TEST_CASE("the text of a request") {
    diagnostics why;
    request_head head;
    head.target = "/_ping";
    CHECK(*encode(head, 0, why) == "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n");
    head.method = "POST";
    head.target = "/v1.41/build?t=a%3A1";
    head.fields = {{"Content-Type", "application/x-tar"}, {"X-Registry-Config", "e30="}};
    CHECK(*encode(head, std::nullopt, why) ==
          "POST /v1.41/build?t=a%3A1 HTTP/1.1\r\nContent-Type: application/x-tar\r\n"
          "X-Registry-Config: e30=\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n");
    head.fields = {{"host", "api.moby.localhost"}};
    CHECK(*encode(head, 0, why) ==
          "POST /v1.41/build?t=a%3A1 HTTP/1.1\r\nhost: api.moby.localhost\r\nContent-Length: 0\r\n\r\n");
    CHECK(*encode(head, 12, why) ==
          "POST /v1.41/build?t=a%3A1 HTTP/1.1\r\nhost: api.moby.localhost\r\nContent-Length: 12\r\n\r\n");
    head.method = "DELETE";
    head.fields.clear();
    CHECK(*encode(head, 0, why) == "DELETE /v1.41/build?t=a%3A1 HTTP/1.1\r\nHost: docker\r\n\r\n");
    CHECK(why.empty());
  }

  TEST_CASE("what would break out of its line is refused, a value without being shown") {
    const auto refused = [](request_head head) {
      diagnostics why;
      const auto text = encode(std::move(head), 0, why);
      REQUIRE_FALSE(text.has_value());
      CHECK(text.error() == errc::invalid_argument);
      return why.client_message();
    };
    for (const auto method : {""sv, "GET "sv, "GE\r\nT"sv, "G\0T"sv, "GET/"sv}) {
      request_head head;
      head.method = method;
      CHECK(refused(head).starts_with("not an HTTP method"));
    }
    for (const auto target : {""sv, "/a b"sv, "/a\r\nX: y"sv, "/a\n"sv, "/\x7f"sv, "/\0"sv, "/a\tb"sv}) {
      request_head head;
      head.target = target;
      CHECK(refused(head).starts_with("not an HTTP request target"));
    }
    for (const auto name : {""sv, "X Y"sv, "X:"sv, "X\r\n"sv, "\xc3\xa9"sv}) {
      request_head head;
      head.fields = {{std::string(name), "v"}};
      CHECK(refused(head).starts_with("not an HTTP field name"));
    }
    for (const auto value : {"a\r\nX: y"sv, "a\n"sv, "\r"sv, "a\0b"sv, "\x7f"sv, "\x1b[0m"sv}) {
      request_head head;
      head.fields = {{"X-Registry-Auth", std::string(value)}};
      CHECK(refused(head) == "the HTTP field X-Registry-Auth holds a control character");
    }
    diagnostics why;
    request_head head;
    head.fields = {{"X", "tab\tand \xc3\xa9"}};
    CHECK(encode(head, 0, why).has_value());
  }

  TEST_CASE("the head of a chunk") {
    CHECK(chunk_head(0) == "0\r\n");
    CHECK(chunk_head(255) == "ff\r\n");
    CHECK(chunk_head(256 * 1024) == "40000\r\n");
  }

  TEST_CASE("an answer of known length, and what comes behind it") {
    const auto seen = decode_every_way(
        "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200", false);
    CHECK(seen.done);
    CHECK(seen.keep_alive);
    CHECK(seen.status == 200);
    CHECK(seen.reason == "OK");
    CHECK(seen.fields == "Api-Version=1.41;Content-Length=4;");
    CHECK(seen.body == "body");
    CHECK(seen.left == "HTTP/1.1 200");
  }

  TEST_CASE("chunks, with extensions and a trailer") {
    const auto seen = decode_every_way(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;name=value\r\nabc\r\n1\r\n\r\r\nA\r\n0123456789\r\n0\r\nX-Trailer: x\r\n\r\nmore",
        false);
    CHECK(seen.done);
    CHECK(seen.body == "abc\r0123456789");
    CHECK(seen.left == "more");
  }

  TEST_CASE("chunks of which the first is the last") {
    for (const std::string end : {"0\r\n\r\n", "000\r\n\r\n", "0\r\nX: y\r\n\r\n", "0;a=b\r\n\r\n"}) {
      const auto seen =
          decode_every_way("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + end + "HTTP/1.1", false);
      CHECK(seen.done);
      CHECK(seen.keep_alive);
      CHECK(seen.body.empty());
      CHECK(seen.left == "HTTP/1.1");
    }
    CHECK(decode_every_way("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0\r\nx", false).body == "0\r\nx");
    CHECK(decode_every_way("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0\r\nx\r\n0\r\n\r\n",
                           false)
              .body == "0\r\nx");
  }

  TEST_CASE("a body that only the end delimits") {
    const auto seen = decode_every_way("HTTP/1.1 200 OK\r\n\r\nall of it");
    CHECK(seen.done);
    CHECK_FALSE(seen.keep_alive);
    CHECK(seen.body == "all of it");
    CHECK_FALSE(decode_every_way("HTTP/1.1 200 OK\r\n\r\nall of it", false).done);
  }

  TEST_CASE("answers without a body") {
    for (const auto status : {"204 No Content", "304 Not Modified"}) {
      const auto seen = decode_every_way("HTTP/1.1 " + std::string(status) + "\r\n\r\nX", false);
      CHECK(seen.done);
      CHECK(seen.keep_alive);
      CHECK(seen.left == "X");
    }
  }

  TEST_CASE("interim answers are passed over; an upgrade is final, and no connection for another request") {
    auto seen = decode_every_way(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx",
        false);
    CHECK(seen.status == 404);
    CHECK(seen.fields == "Content-Length=1;");
    CHECK(seen.body == "x");
    seen = decode_every_way("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x01raw",
                            false);
    CHECK(seen.done);
    CHECK(seen.status == 101);
    CHECK_FALSE(seen.keep_alive);
    CHECK(seen.body.empty());
    CHECK(seen.left == "\x01raw");
  }

  TEST_CASE("connections that the answer ends") {
    CHECK_FALSE(
        decode_every_way("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").keep_alive);
    CHECK_FALSE(decode_every_way("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  }

  TEST_CASE("cut anywhere, an answer is not complete") {
    for (
        const auto text :
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"sv,
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"sv}) {
      for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        const auto seen = decode({text.substr(0, size)});
        CHECK(seen.failure == errc::connection_lost);
        CHECK_FALSE(seen.done);
      }
      CHECK(decode({text}).done);
    }
  }

  TEST_CASE("what is not HTTP/1.1") {
    for (const auto text : {
             "SSH-2.0-OpenSSH_9.2p1\r\n"sv,
             "HTTP/2.0 200 OK\r\n\r\n"sv,
             "HTTP/1.1 2x0 OK\r\n\r\n"sv,
             "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"sv,
             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"sv,
             "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"sv,
             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"sv,
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"sv,
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n"sv,
         }) {
      CAPTURE(std::string(text));
      CHECK(decode_every_way(text).failure == errc::malformed_http);
    }
  }

  TEST_CASE("a head may be as long as its limit, and not a byte longer, however it is cut") {
    const std::string start = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\nX: ";
    const std::string fits = start + std::string(200 - start.size() - 4, 'v') + "\r\n\r\n";
    const std::string longer = start + std::string(201 - start.size() - 4, 'v') + "\r\n\r\n";
    const auto by = [](std::string_view text, std::size_t size) {
      std::vector<std::string_view> chunks;
      for (std::size_t i = 0; i < text.size(); i += size) chunks.push_back(text.substr(i, size));
      return decode(chunks, true, 200);
    };
    for (std::size_t size = 1; size <= longer.size(); ++size) {
      CAPTURE(size);
      CHECK(by(fits, size).done);
      CHECK(by(longer, size).failure == errc::message_too_long);
      // Interim answers have a limit each.
      CHECK(by("HTTP/1.1 100 Continue\r\n\r\n" + fits, size).done);
    }
  }

  TEST_CASE("a chunk's line and a trailer have the same limit; a chunk's content has none") {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
      const auto by = [size](const std::string& text) {
        std::vector<std::string_view> chunks;
        for (std::size_t i = 0; i < text.size(); i += size)
          chunks.push_back(std::string_view(text).substr(i, size));
        return decode(chunks, true, 200);
      };
      CHECK(by(head + "1;x=" + std::string(300, 'v') + "\r\n").failure == errc::message_too_long);
      CHECK(by(head + "0\r\nX: " + std::string(300, 'v') + "\r\n").failure == errc::message_too_long);
      const auto large = by(head + "fff\r\n" + std::string(0xfff, 'c') + "\r\n0\r\nX: y\r\n\r\n");
      CHECK(large.done);
      CHECK(large.body.size() == 0xfff);
    }
  }

  TEST_CASE("a field is found whatever its case, the first of several") {
    response_head head;
    head.fields = {{"Api-Version", "1.41"}, {"API-VERSION", "2"}};
    CHECK(head.find("api-version") == "1.41");
    CHECK(head.find("Server").empty());
  }
}

}  // namespace dockline::http
