#include "progress/columns.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace dockline::progress {

TEST_SUITE("progress/columns") {
  TEST_CASE("columns of wide, combining and joined characters") {
    const columns measure;
    CHECK(measure.count("") == 0);
    CHECK(measure.count("plain") == 5);
    CHECK(measure.count("caf\u00e9") == 4);
    CHECK(measure.count("cafe\u0301") == 4);
    CHECK(measure.count("\u65e5\u672c\u8a9e") == 6);
    CHECK(measure.count("\uac00\u1161") == 2);
    CHECK(measure.count("\uff21") == 2);
    CHECK(measure.count("\U0001f600") == 2);
    CHECK(measure.count("a\u200db") == 2);
    CHECK(measure.count("\u2026") == 1);
  }

  TEST_CASE("what does not fit is cut, and says so") {
    const columns measure;
    CHECK(measure.cut("abc", 3) == drawn_line("abc", 3));
    CHECK(measure.cut("abcd", 3) == drawn_line("ab\u2026", 3));
    CHECK(measure.cut("abcd", 1) == drawn_line("\u2026", 1));
    CHECK(measure.cut("abcd", 0) == drawn_line());
    CHECK(measure.cut("abcd", -5) == drawn_line());
    CHECK(measure.cut("", 0) == drawn_line());
    // Half of a wide character is no character.
    CHECK(measure.cut("\u65e5\u672c", 3) == drawn_line("\u65e5\u2026", 3));
    CHECK(measure.cut("a\u65e5\u672c", 3) == drawn_line("a\u2026", 2));
    CHECK(measure.cut("ae\u0301x", 2) == drawn_line("a\u2026", 2));
    CHECK(measure.cut("ae\u0301", 2) == drawn_line("ae\u0301", 2));
  }

  TEST_CASE("wrapping loses nothing") {
    const columns measure;
    const auto joined = [&](std::string_view text, int most) {
      std::string all;
      for (const drawn_line& line : measure.wrap(text, most)) {
        CHECK(line.columns <= most);
        CHECK(line.columns == measure.count(line.bytes));
        all += line.bytes + '|';
      }
      return all;
    };
    CHECK(joined("", 3) == "|");
    CHECK(joined("abc", 3) == "abc|");
    CHECK(joined("abcdefg", 3) == "abc|def|g|");
    CHECK(joined("a\u65e5\u672c", 2) == "a|\u65e5|\u672c|");
    CHECK(joined("\u65e5", 1) == "|");
    CHECK(joined("a\u65e5"
                 "b",
                 1) == "a|b|");
  }

  TEST_CASE("tabs, and a measure of the caller's own") {
    CHECK(columns::without_tabs("a\tb\t\tc") == "a       b               c");
    const columns doubled([](char32_t letter) { return letter == 'x' ? -1 : 2; });
    CHECK(doubled.count("abx") == 4);
    CHECK(doubled.cut("abc", 4) == drawn_line("a\u2026", 3));
  }
}

}  // namespace dockline::progress
