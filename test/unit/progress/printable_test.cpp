#include "dockline/progress/printable.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

namespace dockline::progress {

using namespace std::string_view_literals;

TEST_SUITE("progress/printable") {
  TEST_CASE("text stays as it is") {
    for (const auto text :
         {""sv, "plain\ttext ~"sv, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3"sv, "\xc2\xa0"sv})
      CHECK(printable(text) == text);
  }

  TEST_CASE("escape sequences are left out whole") {
    CHECK(printable("\x1b[31;1mred\x1b[0m\x1b[K!") == "red!");
    CHECK(printable("\x1b]0;title\x07text") == "text");
    CHECK(printable("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\") == "link");
    CHECK(printable("\x1bPdevice\x1b\\x\x1b(B\x1b=\x1b"
                    "7y") == "xy");
    CHECK(printable("\x1b[2J\x1b[H\x1b[?25l") == "");
  }

  TEST_CASE("sequences that are cut or broken harm nothing either") {
    CHECK(printable("a\x1b") == "a");
    CHECK(printable("a\x1b[") == "a");
    CHECK(printable("a\x1b[31") == "a");
    CHECK(printable("a\x1b]0;title") == "a");
    CHECK(printable("a\x1b[\x01"
                    "b") == "ab");
    CHECK(printable("a\x1b[\xc3\xa4") == "a\xc3\xa4");
    CHECK(printable("a\x1b]0;x\x1b[31mb") == "ab");
    CHECK(printable("a\x1b\x1b[31mb") == "ab");
  }

  TEST_CASE("control characters go, in both of their ranges") {
    CHECK(printable("a\b\x07\x7f\x01\0z\r"sv) == "az");
    CHECK(printable("one\ntwo") == "one two");
    CHECK(printable("a\xc2\x9b"
                    "31mb\xc2\x85"
                    "c\xc2\xa0") == "a31mbc\xc2\xa0");
    // Put together only by what was left out.
    CHECK(printable("a\xc2\x01\x9b"
                    "b") == "ab");
  }

  TEST_CASE("bytes that are not UTF-8 are replaced") {
    CHECK(printable("a\xff"
                    "b\x9b") ==
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd");
  }

  TEST_CASE("random bytes give nothing that a terminal obeys") {
    std::mt19937 random(3);
    const std::string_view likely = "\x1b[]P\\;31m\xc2\x9b\x85\x07\xff \n";
    for (int round = 0; round < 5000; ++round) {
      std::string text;
      for (int i = 0; i < 30; ++i)
        text += random() % 4 != 0 ? likely[random() % likely.size()] : static_cast<char>(random() % 256);
      const std::string shown = printable(text);
      for (std::size_t i = 0; i < shown.size(); ++i) {
        const auto byte = static_cast<unsigned char>(shown[i]);
        REQUIRE((byte >= 0x20 || byte == '\t'));
        REQUIRE(byte != 0x7f);
        if (byte == 0xc2) REQUIRE(static_cast<unsigned char>(shown[i + 1]) >= 0xa0);
      }
      CHECK(printable(shown) == shown);
    }
  }
}

}  // namespace dockline::progress
