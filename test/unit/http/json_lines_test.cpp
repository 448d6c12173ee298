#include "http/json_lines.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dockline::http {
namespace {

using namespace std::string_view_literals;

struct outcome {
  std::vector<std::string> values;
  error_code failure;
};

outcome split(const std::vector<std::string_view>& chunks, std::size_t limit = json_lines::default_limit) {
  outcome seen;
  json_lines lines(limit);
  for (const auto chunk : chunks) {
    // A copy that goes away: no value may point into a chunk that is used up.
    const std::string own(chunk);
    lines.feed(own);
    for (;;) {
      const auto value = lines.next();
      if (!value) {
        seen.failure = value.error();
        CHECK(lines.next().error() == seen.failure);
        CHECK(lines.finish().error() == seen.failure);
        return seen;
      }
      if (!*value) break;
      seen.values.emplace_back(**value);
    }
  }
  const auto last = lines.finish();
  if (!last)
    seen.failure = last.error();
  else if (*last)
    seen.values.emplace_back(**last);
  return seen;
}

outcome split_bytewise(std::string_view text, std::size_t limit = json_lines::default_limit) {
  std::vector<std::string_view> chunks;
  for (std::size_t i = 0; i < text.size(); ++i) chunks.push_back(text.substr(i, 1));
  return split(chunks, limit);
}

// The same in one chunk, in two at every place, and byte by byte.
void check(std::string_view text, const std::vector<std::string>& values, error_code failure = {},
           std::size_t limit = json_lines::default_limit) {
  CAPTURE(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const auto seen = split({text.substr(0, cut), text.substr(cut)}, limit);
    CAPTURE(cut);
    CHECK(seen.values == values);
    CHECK(seen.failure == failure);
  }
  const auto seen = split_bytewise(text, limit);
  CHECK(seen.values == values);
  CHECK(seen.failure == failure);
}

}  // namespace

TEST_SUITE("http/json_lines") {
  TEST_CASE("line ends of either kind, other white space, and nothing at all part the values") {
    check("", {});
    check(" \r\n\t\n", {});
    check("{\"a\":1}\r\n{\"b\":2}\r\n", {"{\"a\":1}", "{\"b\":2}"});
    check("{\"a\":1}\n{\"b\":2}\n", {"{\"a\":1}", "{\"b\":2}"});
    check("{\"a\":1}{\"b\":2}[3][]", {"{\"a\":1}", "{\"b\":2}", "[3]", "[]"});
    check("\n\n{\"a\":\n [1,\n {} ] }\t{}", {"{\"a\":\n [1,\n {} ] }", "{}"});
  }

  TEST_CASE("brackets and escaped quotes inside strings are text") {
    check(R"({"a":"}{]["}{"b\"}":"\\"}["\\\"]"])", {R"({"a":"}{]["})", R"({"b\"}":"\\"})", R"(["\\\"]"])"});
    check(R"({"stream":"\u001b[91merr\n\u001b[0m"})", {R"({"stream":"\u001b[91merr\n\u001b[0m"})"});
  }

  TEST_CASE("scalars") {
    check("1 -2.5e+3\n\"a\\\"b\"true false\rnull\"\"",
          {"1", "-2.5e+3", "\"a\\\"b\"", "true", "false", "null", "\"\""});
    check("truefalse1{}2\"x\"3", {"true", "false", "1", "{}", "2", "\"x\"", "3"});
    check("42", {"42"});
    check("[1]42\n", {"[1]", "42"});
  }

  TEST_CASE("what no value starts with is malformed, after what came before it") {
    check("x", {}, errc::malformed_json);
    check("{} <html>", {"{}"}, errc::malformed_json);
    check("}", {}, errc::malformed_json);
    check("{},{}", {"{}"}, errc::malformed_json);
    check("trux", {}, errc::malformed_json);
    check("1\nnil", {"1"}, errc::malformed_json);
    check("{}\0"sv, {"{}"}, errc::malformed_json);
  }

  TEST_CASE("a stream that ends inside a value is malformed") {
    check("{\"a\":1}\n{\"b\":", {"{\"a\":1}"}, errc::malformed_json);
    check("[", {}, errc::malformed_json);
    check("\"abc", {}, errc::malformed_json);
    check("\"abc\\", {}, errc::malformed_json);
    check("{\"a\\\"}", {}, errc::malformed_json);
    check("tru", {}, errc::malformed_json);
  }

  TEST_CASE("the limit is of one value, however it is cut") {
    check("[1]\n[22]\n[3]", {"[1]", "[22]", "[3]"}, {}, 4);
    check("[1]\n[22]\n[333]\n[4]", {"[1]", "[22]"}, errc::message_too_long, 4);
    check("12345", {}, errc::message_too_long, 4);
    check("\"abc", {}, errc::malformed_json, 4);
    check("\"abcd", {}, errc::message_too_long, 4);
    check("          [1]          ", {"[1]"}, {}, 3);
  }

  TEST_CASE("a long value in many chunks") {
    std::string value = "{\"stream\":\"";
    for (int i = 0; i < 3000; ++i) value += R"(text \\ \" } \n)";
    value += "\"}";
    const std::string text = value + "\r\n" + value + "\r\n";
    for (const std::size_t size : {1U, 2U, 3U, 7U, 64U, 1000U, 4096U, 100000U}) {
      std::vector<std::string_view> chunks;
      for (std::size_t at = 0; at < text.size(); at += size)
        chunks.push_back(std::string_view(text).substr(at, size));
      const auto seen = split(chunks);
      CHECK(seen.values == std::vector<std::string>{value, value});
      CHECK_FALSE(seen.failure);
    }
  }

  TEST_CASE("a value that lies in one chunk is not copied") {
    const std::string text = "{\"a\":1}{\"b\":2}{\"c\"";
    json_lines lines;
    lines.feed(text);
    CHECK((*lines.next())->data() == text.data());
    CHECK((*lines.next())->data() == text.data() + 7);
    CHECK_FALSE(*lines.next());
    CHECK_FALSE(*lines.next());
  }
}

}  // namespace dockline::http
