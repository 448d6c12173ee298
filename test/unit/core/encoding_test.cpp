#include "core/encoding.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace dockline {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

TEST_SUITE("core/encoding") {
  TEST_CASE("base64: the vectors of RFC 4648") {
    const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
      CHECK(encode_base64(bytes) == text);
      CHECK(encode_base64url(bytes) == text);
      CHECK(decode_base64(text) == bytes);
      CHECK(decode_base64url(text) == bytes);
      const std::string bare = encode_base64url(bytes, base64_padding::absent);
      CHECK(bare == text.substr(0, text.find('=')));
      CHECK(decode_base64url(bare) == bytes);
    }
  }

  TEST_CASE("base64: the two alphabets are kept apart") {
    CHECK(encode_base64("\xfb\xff\xfe"sv) == "+//+");
    CHECK(encode_base64url("\xfb\xff\xfe"sv) == "-__-");
    CHECK(decode_base64("+//+") == "\xfb\xff\xfe"sv);
    CHECK_FALSE(decode_base64("-__-"));
    CHECK_FALSE(decode_base64url("+//+"));
    CHECK(encode_base64url("{}") == "e30=");
  }

  TEST_CASE("base64: what cannot be is refused") {
    for (const auto text : {"A", "AAAAA", "Zg==Zg==", "Z===", "====", "Zg=", "Zm 9v", "Zm9v\n", "Zm9\xff"})
      CHECK_MESSAGE(!decode_base64(text), text);
  }

  TEST_CASE("base64: every byte goes there and back") {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    CHECK(decode_base64(encode_base64(all)) == all);
    CHECK(decode_base64url(encode_base64url(all)) == all);
    CHECK(decode_hex(encode_hex(all)) == all);
  }

  TEST_CASE("hexadecimal") {
    CHECK(encode_hex("\x00\x7f\xff"sv) == "007fff");
    CHECK(decode_hex("007FfF") == "\x00\x7f\xff"sv);
    CHECK_FALSE(decode_hex("0"));
    CHECK_FALSE(decode_hex("0g"));
  }

  TEST_CASE("queries and path segments are escaped as Go does it") {
    constexpr auto reserved = "$&+,/:;=?@ !'()*\"<>#%{}|\\^[]`~-_."sv;
    CHECK(escape_query(reserved) ==
          "%24%26%2B%2C%2F%3A%3B%3D%3F%40+%21%27%28%29%2A%22%3C%3E%23%25%7B%7D%7C%5C%5E%5B%5D%60~-_.");
    CHECK(escape_path_segment(reserved) ==
          "$&+%2C%2F:%3B=%3F@%20%21%27%28%29%2A%22%3C%3E%23%25%7B%7D%7C%5C%5E%5B%5D%60~-_.");
    CHECK(escape_query("aZ09\xc3\xa4\x00"sv) == "aZ09%C3%A4%00");
    CHECK(escape_query(R"({"A":"1","UNSETX":null})") == "%7B%22A%22%3A%221%22%2C%22UNSETX%22%3Anull%7D");
  }

  TEST_CASE("UTF-8: what is well-formed and what is not") {
    for (const auto text : {""sv, "plain ASCII text"sv, "\xc3\xa4"sv, "\xe2\x82\xac"sv, "\xf0\x9f\x90\xb3"sv,
                            "\xed\x9f\xbf"sv, "\xf4\x8f\xbf\xbf"sv, "eight bytes\xc3\xa4 and more text"sv})
      CHECK(is_utf8(text));
    for (const auto text :
         {"\x80"sv, "\xc3"sv, "\xc0\x80"sv, "\xe0\x80\x80"sv, "\xed\xa0\x80"sv, "\xf0\x80\x80\x80"sv,
          "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xe2\x82"sv, "eight by\xffs"sv, "\xe2\x82x"sv})
      CHECK_FALSE(is_utf8(text));
  }

  TEST_CASE("UTF-8: each bad byte is replaced, the rest is kept") {
    CHECK(to_utf8("a\xff"
                  "b\xc3\xa4\xe2\x82") ==
          "a\xef\xbf\xbd"
          "b\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(to_utf8("") == "");
    CHECK(to_utf8("plain") == "plain");
  }

  TEST_CASE("times have nine digits of the second, before 1970 too") {
    using namespace std::chrono;
    CHECK(format_rfc3339({}) == "1970-01-01T00:00:00.000000000Z");
    CHECK(format_rfc3339(sys_days(2024y / February / 29d) + 23h + 59min + 58s + 7ns) ==
          "2024-02-29T23:59:58.000000007Z");
    CHECK(format_rfc3339(system_clock::time_point(-1ns)) == "1969-12-31T23:59:59.999999999Z");
  }

  TEST_CASE("times are read with a fraction and an offset, and without") {
    using namespace std::chrono;
    const auto then = system_clock::time_point(1'700'000'000s);
    CHECK(parse_rfc3339("2023-11-14T22:13:20Z") == then);
    CHECK(parse_rfc3339("2023-11-14T22:13:20.123456Z") == then);
    CHECK(parse_rfc3339("2023-11-14T23:13:20+01:00") == then);
    CHECK(parse_rfc3339("2023-11-14T21:43:20-00:30") == then);
    for (const char* bad : {"", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20+1", "x",
                            "1969-12-31T23:59:59Z", "6709-01-02T03:04:05Z"})
      CHECK_FALSE(parse_rfc3339(bad));
  }
}

}  // namespace dockline
