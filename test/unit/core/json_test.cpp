#include "core/json.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::json {

using namespace std::string_view_literals;

TEST_SUITE("core/json") {
  TEST_CASE("members, elements and scalars are read") {
    const auto parsed = parse(R"( {"name":"x\u0000y","n":-3,"big":9223372036854775807,"yes":true,
                                  "list":[1,"two",null],"in":{"deep":{"er":1.5}}} )");
    REQUIRE(parsed.has_value());
    const value root = parsed->root();
    CHECK(root.is_object());
    CHECK(root.find("name").as_string() == "x\0y"sv);
    CHECK(root.find("n").as_int() == -3);
    CHECK(root.find("big").as_int() == std::numeric_limits<std::int64_t>::max());
    CHECK(root.find("yes").as_bool() == true);
    CHECK(root.find("in").find("deep").find("er").as_double() == 1.5);
    CHECK_FALSE(root.find("in").find("deep").find("er").as_int());
    REQUIRE(root.find("list").elements().size() == 3);
    std::vector<bool> strings;
    for (const value element : root.find("list").elements()) strings.push_back(element.is_string());
    CHECK(strings == std::vector<bool>{false, true, false});
    std::string names;
    for (const member& item : root.members()) names += std::string(item.name) + ' ';
    CHECK(names == "name n big yes list in ");
  }

  TEST_CASE("what is absent or of another type is empty, however deep one asks") {
    const auto parsed = parse(R"({"s":"text","o":{},"u":18446744073709551615})");
    REQUIRE(parsed.has_value());
    const value root = parsed->root();
    CHECK_FALSE(root.find("none").exists());
    CHECK_FALSE(root.find("none").find("of").find("these").as_string());
    CHECK_FALSE(root.find("s").as_int());
    CHECK_FALSE(root.find("s").find("x").exists());
    CHECK_FALSE(root.find("o").as_bool());
    CHECK_FALSE(root.find("u").as_int());
    CHECK(root.find("s").elements().empty());
    CHECK(root.find("s").members().empty());
    CHECK(root.elements().empty());
    CHECK(value().members().begin() == value().members().end());
    CHECK(root.find("none").string_or_empty() == "");
    CHECK_FALSE(root.find("none").is_null());
  }

  TEST_CASE("what is not one JSON value is malformed") {
    for (const auto text : {""sv, " "sv, "{"sv, "{]"sv, "nul"sv, "{} {}"sv, "{}x"sv, "{\"a\":}"sv, "'a'"sv,
                            "[1,]"sv, "\"a\nb\""sv, "{}\0"sv, "\"\\x\""sv, "NaN"sv, "\"\\u12\""sv}) {
      const auto parsed = parse(text);
      REQUIRE_MESSAGE(!parsed.has_value(), text);
      CHECK(parsed.error() == errc::malformed_json);
    }
  }

  TEST_CASE("nesting is bounded and takes no stack") {
    limits bounds;
    bounds.depth = 3;
    CHECK(parse("[[[1]]]", bounds).has_value());
    CHECK(parse("[[[1]],[[2]],{\"a\":{}}]", bounds).has_value());
    CHECK_FALSE(parse("[[[[1]]]]", bounds).has_value());
    CHECK_FALSE(parse(R"({"a":{"b":{"c":{}}}})", bounds).has_value());
    CHECK_FALSE(parse(std::string(1'000'000, '[')).has_value());
    // Where nothing else is said: 128.
    CHECK(parse(std::string(128, '[') + std::string(128, ']')).has_value());
    CHECK_FALSE(parse(std::string(129, '[') + std::string(129, ']')).has_value());
    bounds.depth = 1'000'000;
    CHECK(parse(std::string(1'000'000, '[') + std::string(1'000'000, ']'), bounds).has_value());
  }

  TEST_CASE("the length is bounded") {
    limits bounds;
    bounds.bytes = 4;
    CHECK(parse("[10]", bounds).has_value());
    CHECK_FALSE(parse("[100]", bounds).has_value());
    // Where nothing else is said: 64 MiB.
    std::string text(std::size_t{64} << 20, ' ');
    text.front() = '1';
    CHECK(parse(text).has_value());
    text += ' ';
    CHECK_FALSE(parse(text).has_value());
  }

  TEST_CASE("bytes that are not UTF-8 become U+FFFD") {
    const auto parsed = parse("{\"a\xff\":\"b\xc3\"}");
    REQUIRE(parsed.has_value());
    CHECK(parsed->root().find("a\xef\xbf\xbd").as_string() == "b\xef\xbf\xbd");
  }

  TEST_CASE("half a surrogate pair becomes U+FFFD, a whole one its character") {
    const auto read = [](std::string_view text) {
      const auto parsed = parse(text);
      REQUIRE_MESSAGE(parsed.has_value(), text);
      return std::string(parsed->root().string_or_empty());
    };
    CHECK(read(R"("\ud83d\udc33")") == "\xf0\x9f\x90\xb3");
    CHECK(read(R"("\ud83d")") == "\xef\xbf\xbd");
    CHECK(read(R"("\ud83dx")") == "\xef\xbf\xbdx");
    CHECK(read(R"("\udc33\ud83d")") == "\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(read(R"("\ud83d\ud83d\udc33")") == "\xef\xbf\xbd\xf0\x9f\x90\xb3");
    CHECK(read(R"("\\ud83d")") == R"(\ud83d)");
  }

  TEST_CASE("a document is used again, after a failure too") {
    document reused;
    const std::string big = "[\"" + std::string(100'000, 'x') + "\"]";
    for (int i = 0; i < 3; ++i) {
      REQUIRE_FALSE(reused.parse(big));
      CHECK(reused.root().elements().size() == 1);
      CHECK(reused.parse("{\"half\":") == errc::malformed_json);
      CHECK_FALSE(reused.root().exists());
      REQUIRE_FALSE(reused.parse("{\"a\":1}"));
      CHECK(reused.root().find("a").as_int() == 1);
    }
    const document moved = std::move(reused);
    CHECK(moved.root().find("a").as_int() == 1);
  }

  TEST_CASE("writing") {
    writer out;
    out.begin_object();
    out.key("text").string("a\"\\\n\x1b\xff\xc3\xa4");
    out.key("list").begin_array().integer(-1).unsigned_integer(18446744073709551615u).null().end_array();
    out.key("empty").string({});
    out.key("no").boolean(false);
    out.end_object();
    CHECK(out.text() ==
          "{\"text\":\"a\\\"\\\\\\n\\u001B\xef\xbf\xbd\xc3\xa4\",\"list\":[-1,18446744073709551615,null],"
          "\"empty\":\"\",\"no\":false}");
    CHECK(parse(out.take()).has_value());
    CHECK(out.begin_array().end_array().take() == "[]");
  }
}

}  // namespace dockline::json
