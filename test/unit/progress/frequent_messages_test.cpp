#include "progress/frequent_messages.hpp"

#include "core/json.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace dockline::progress {

TEST_SUITE("progress/frequent_messages") {
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

  TEST_CASE("layers, as the daemons write them") {
    const auto bar =
        read_layer_message(R"({"status":"Downloading","progressDetail":{"current":69213,"total":6002144},)"
                           R"("progress":"[\u003e      ]  69.21kB/6.002MB","id":"914c1c718965"})");
    REQUIRE(bar.has_value());
    CHECK(bar->status == "Downloading");
    CHECK(bar->id == "914c1c718965");
    CHECK(bar->current == 69213);
    CHECK(bar->total == 6002144);
    const auto full =
        read_layer_message(R"({"status":"Pushing","progressDetail":{"current":5},"progress":"5B","id":"a"})");
    REQUIRE(full.has_value());
    CHECK(full->current == 5);
    CHECK(full->total == 0);
    const auto bare = read_layer_message(R"({"status":"Pull complete","progressDetail":{},"id":"a"})");
    REQUIRE(bare.has_value());
    CHECK(bare->status == "Pull complete");
  }

  TEST_CASE("a layer that is written otherwise is left to the parser") {
    const std::string_view layer =
        R"({"status":"S","progressDetail":{"current":1,"total":2},"progress":"[\u003e ]","id":"i"})";
    REQUIRE(read_layer_message(layer).has_value());
    for (std::size_t size = 0; size < layer.size(); ++size)
      CHECK_FALSE(read_layer_message(layer.substr(0, size)).has_value());
    for (const std::string_view other :
         {R"({"status":"S","id":"i"})", R"({"status":"S\n","progressDetail":{},"id":"i"})",
          R"({"status":"S","progressDetail":{"current":-1},"id":"i"})",
          R"({"status":"S","progressDetail":{"current":01},"id":"i"})",
          R"({"status":"S","progressDetail":{"current":1.5},"id":"i"})",
          R"({"status":"S","progressDetail":{"current":99999999999999999999},"id":"i"})",
          R"({"status":"S","progressDetail":{},"progress":"\"","id":"i"})",
          R"({"status":"S","progressDetail":{},"id":"i","error":"e"})",
          "{\"status\":\"\xc3\xa4\",\"progressDetail\":{},\"id\":\"i\"}"})
      CHECK_MESSAGE(!read_layer_message(other).has_value(), other);
  }

  TEST_CASE("what is read of a layer with any byte changed is what the parser reads") {
    const std::string layer = R"({"status":"Loading a layer","progressDetail":{"current":10,"total":2},)"
                              R"("progress":"[=========\u003e        ]  1kB","id":"914c1c718965"})";
    int read_so = 0;
    for (std::size_t at = 0; at < layer.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string message = layer;
        message[at] = static_cast<char>(byte);
        const auto read = read_layer_message(message);
        if (!read) continue;
        const auto parsed = json::parse(message);
        REQUIRE_MESSAGE(parsed.has_value(), message);
        const json::value root = parsed->root();
        REQUIRE(root.find("status").as_string() == read->status);
        REQUIRE(root.find("id").as_string() == read->id);
        REQUIRE(root.find("progressDetail").find("current").as_int() ==
                static_cast<std::int64_t>(read->current));
        REQUIRE(root.find("progressDetail").find("total").as_int() == static_cast<std::int64_t>(read->total));
        ++read_so;
      }
    }
    CHECK(read_so > 500);
  }
}

}  // namespace dockline::progress
