#include "grpc/metadata.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

namespace dockline::grpc {

using namespace std::chrono_literals;

TEST_SUITE("grpc/metadata") {
  TEST_CASE("names may have several values, in their order") {
    metadata pairs;
    CHECK(pairs.empty());
    pairs.add("include-patterns", "b");
    pairs.add("dir-name", "context");
    pairs.add("include-patterns", "a");
    CHECK(pairs.find("dir-name") == "context");
    CHECK(pairs.find("include-patterns") == "b");
    CHECK(pairs.find("none") == "");
    CHECK(pairs.contains("dir-name"));
    CHECK_FALSE(pairs.contains("none"));
    CHECK(pairs.all("include-patterns") == std::vector<std::string>{"b", "a"});
  }

  TEST_CASE("timeouts") {
    CHECK(parse_timeout("5S") == 5s);
    CHECK(parse_timeout("1H") == 1h);
    CHECK(parse_timeout("90M") == 90min);
    CHECK(parse_timeout("15000m") == 15s);
    CHECK(parse_timeout("250u") == 250us);
    CHECK(parse_timeout("99999999n") == 99'999'999ns);
    CHECK(parse_timeout("0n") == 0ns);
    CHECK(parse_timeout("99999999H") == std::chrono::nanoseconds::max());
    for (const char* text : {"", "S", "5", "5s", "123456789S", "-5S", "+5S", "5 S", "5.0S", "0x5S"})
      CHECK_FALSE(parse_timeout(text));
  }

  TEST_CASE("timeouts are written exactly, or longer") {
    for (const auto time : {0ns, 1ns, 99'999'999ns, 5'000'000'000ns, std::chrono::nanoseconds(3h)})
      CHECK(parse_timeout(encode_timeout(time)) == time);
    CHECK(encode_timeout(100'000'001ns) == "100001u");
    CHECK(encode_timeout(-1s) == "0n");
    CHECK(*parse_timeout(encode_timeout(1'234'567'890'123ns)) >= 1'234'567'890'123ns);
  }
}

}  // namespace dockline::grpc
