#include "progress/stream_message.hpp"

#include "core/json.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <string>

namespace dockline::progress {

TEST_SUITE("progress/stream_message") {
  TEST_CASE("every escape, at every distance from the start") {
    std::string memory;
    for (int i = 0; i < 20; ++i) {
      const std::string before(static_cast<std::size_t>(i), 'x');
      const std::string text = R"(\"\\\/\b\f\n\r\t\u0000\u001b\u00e4\u20ac)";
      const auto read = read_stream_message("{\"stream\":\"" + before + text + before + "\"}", memory);
      REQUIRE(read.has_value());
      CHECK(*read == before + std::string("\"\\/\b\f\n\r\t\0\x1b\xc3\xa4\xe2\x82\xac", 15) + before);
    }
    CHECK(read_stream_message("{\"stream\":\"\"}", memory) == "");
    CHECK(read_stream_message("{\"stream\":\"\xc3\xa4 eight bytes\"}", memory) == "\xc3\xa4 eight bytes");
  }

  TEST_CASE("what is anything else is left to the parser") {
    std::string memory;
    for (const std::string_view other :
         {R"({"stream":"a","id":"b"})", R"({ "stream":"a"})", R"({"status":"a"})", R"({"stream":1})",
          R"({"stream":"})", R"({"stream":"\"})", R"({"stream":"\x"})", R"({"stream":"\u12"})",
          R"({"stream":"\u12g4"})", R"({"stream":"\ud83d\udc33"})", "{\"stream\":\"\n\"}",
          "{\"stream\":\"\xff\"}", R"({"stream":"a"}"})", "", R"({"stream":")"})
      CHECK_MESSAGE(!read_stream_message(other, memory), other);
  }

  TEST_CASE("it agrees with the parser on random text") {
    std::mt19937 random(7);
    const std::string_view letters[] = {
        "a",    "b",      " ", "\\n", "\\\"", "\\\\", "\xc3\xa4", "\"", "\\x", "\x1f", "\xf0\x9f\x90\xb3",
        "\xff", "\\u001b"};
    std::string memory;
    int agreed = 0;
    for (int round = 0; round < 20'000; ++round) {
      std::string message = "{\"stream\":\"";
      for (auto i = random() % 24; i != 0; --i) message += letters[random() % (i == 3 ? 13 : 7)];
      message += "\"}";
      const auto read = read_stream_message(message, memory);
      if (!read) continue;
      const auto parsed = json::parse(message);
      REQUIRE_MESSAGE(parsed.has_value(), message);
      REQUIRE(parsed->root().find("stream").as_string() == *read);
      REQUIRE(parsed->root().members().size() == 1);
      ++agreed;
    }
    CHECK(agreed > 10'000);
  }
}

}  // namespace dockline::progress
