#include "core/byte_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace dockline {

TEST_SUITE("core/byte_queue") {
  TEST_CASE("bytes come out in the order in which they went in") {
    byte_queue queue;
    CHECK(queue.empty());
    std::string in;
    std::string out;
    for (int i = 0; i < 1000; ++i) {
      const std::string some(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
      queue.append(some);
      in += some;
      const std::size_t count = std::min<std::size_t>(queue.size(), static_cast<std::size_t>(i % 5));
      out += queue.front().substr(0, count);
      queue.drop(count);
      REQUIRE(queue.size() == in.size() - out.size());
    }
    CHECK(in == out + std::string(queue.front()));
    queue.drop(queue.size());
    CHECK(queue.empty());
    CHECK(queue.front() == "");
    queue.append("again");
    queue.clear();
    CHECK(queue.size() == 0);
  }
}

}  // namespace dockline
