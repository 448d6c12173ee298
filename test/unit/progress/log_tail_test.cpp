#include "progress/log_tail.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::progress {

TEST_SUITE("progress/log_tail") {
  TEST_CASE("the last lines, each with its end") {
    log_tail tail;
    CHECK(tail.last(3, 100) == "");
    tail.append("a\nb\n");
    CHECK(tail.last(3, 100) == "a\nb\n");
    CHECK(tail.last(1, 100) == "b\n");
    tail.append("c");
    CHECK(tail.last(2, 100) == "b\nc\n");
    tail.append("c\n\n");
    CHECK(tail.last(2, 100) == "cc\n\n");
    CHECK(tail.last(9, 100) == "a\nb\ncc\n\n");
    CHECK(tail.last(0, 100) == "");
    tail.clear();
    CHECK(tail.last(3, 100) == "");
    tail.append("\n\n");
    CHECK(tail.last(1, 100) == "\n");
    CHECK(tail.last(9, 100) == "\n\n");
  }

  TEST_CASE("a long line loses its beginning, and no character is cut") {
    log_tail tail;
    tail.append("first\n0123456789\n");
    CHECK(tail.last(20, 5) == "6789\n");
    tail.clear();
    tail.append("xx\xc3\xa4y");
    CHECK(tail.last(20, 2) == "y\n");
    CHECK(tail.last(20, 3) == "\xc3\xa4y\n");
  }

  TEST_CASE("what is kept is bounded, and is the end") {
    log_tail tail;
    std::string all;
    for (int i = 0; i < 20'000; ++i) {
      const std::string line = "line " + std::to_string(i) + '\n';
      tail.append(line);
      all += line;
    }
    CHECK(tail.last(20, 4096) == all.substr(all.find("line 19980\n")));
    tail.append(all);
    CHECK(tail.last(1, 4096) == "line 19999\n");
    CHECK(tail.last(1'000'000, 1'000'000).size() <= 64 * 1024);
  }
}

}  // namespace dockline::progress
