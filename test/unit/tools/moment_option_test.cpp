#include "moment_option.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string_view>

namespace dockline::tool {
namespace {

using std::chrono::system_clock;

constexpr auto now = system_clock::time_point(std::chrono::seconds(1'700'000'000));

// Milliseconds since 1970.
long long at(std::string_view text) {
  const auto moment = parse_moment(text, now);
  REQUIRE_MESSAGE(moment.has_value(), text);
  return std::chrono::duration_cast<std::chrono::milliseconds>(moment->time_since_epoch()).count();
}

}  // namespace

TEST_SUITE("tools/moment_option") {
  TEST_CASE("how long ago") {
    CHECK(at("10m") == (1'700'000'000LL - 600) * 1000);
    CHECK(at("1h30m") == (1'700'000'000LL - 5400) * 1000);
    CHECK(at("1.5s") == 1'699'999'998'500);
    CHECK(at("200ms") == 1'699'999'999'800);
    CHECK(at("0s") == 1'700'000'000'000);
  }

  TEST_CASE("seconds since 1970, and dates") {
    CHECK(at("1700000000") == 1'700'000'000'000);
    CHECK(at("1700000000.25") == 1'700'000'000'250);
    CHECK(at("2023-11-14T22:13:20Z") == 1'700'000'000'000);
    CHECK(at("2023-11-14T22:13:20.125Z") == 1'700'000'000'125);
    CHECK(at("2023-11-14T23:13:20+01:00") == 1'700'000'000'000);
    CHECK(at("2023-11-14T17:43:20-04:30") == 1'700'000'000'000);
    CHECK(at("2023-11-14T22:13Z") == 1'699'999'980'000);
    CHECK(at("2023-11-14Z") == 1'699'920'000'000);
  }

  TEST_CASE("what is no time") {
    for (const auto* text :
         {"", "now", "10", "-5m", "5x", "m", "1700000000.", "2023-13-01", "2023-11-14T25:00",
          "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+1:00", "2023-11-14 22:13", "1e5s"}) {
      CAPTURE(text);
      // A bare number is seconds since 1970.
      CHECK(parse_moment(text, now).has_value() == (std::string_view(text) == "10"));
    }
  }

  TEST_CASE("an option that was not given is no moment, and no mistake") {
    console terminal;
    std::optional<system_clock::time_point> moment;
    CHECK(read_moment("--since", "", moment, terminal));
    CHECK_FALSE(moment.has_value());
    CHECK(read_moment("--since", "5m", moment, terminal));
    CHECK(moment.has_value());
    CHECK_FALSE(read_moment("--since", "yesterday", moment, terminal));
  }
}

}  // namespace dockline::tool
