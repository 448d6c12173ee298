#include "engine/api_version.hpp"

#include <doctest/doctest.h>

namespace dockline::engine {

TEST_SUITE("engine/api_version") {
  TEST_CASE("what is a version") {
    CHECK(parse_api_version("1.41") == api_version{1, 41});
    CHECK(parse_api_version("1.0") == api_version{1, 0});
    CHECK(parse_api_version("12.345") == api_version{12, 345});
    CHECK(to_string(api_version{1, 9}) == "1.9");
  }

  TEST_CASE("what is none") {
    for (const auto text : {"", "1", "1.", ".1", "1.41.0", "v1.41", "1.x", "1.41 ", " 1.41", "-1.41", "1.-4",
                            "0.5", "1,41", "1..4", "99999999999.1", "1.99999999999"})
      CHECK_MESSAGE(!parse_api_version(text), text);
  }

  TEST_CASE("what a daemon offers when it refuses a version") {
    auto offer = parse_version_offer("client version 1.99 is too new. Maximum supported API version is 1.51");
    REQUIRE(offer.has_value());
    CHECK(offer->version == api_version{1, 51});
    CHECK_FALSE(offer->is_oldest);
    offer = parse_version_offer(
        "client version 1.20 is too old. Minimum supported API version is 1.24, please upgrade your client "
        "to a "
        "newer version");
    REQUIRE(offer.has_value());
    CHECK(offer->version == api_version{1, 24});
    CHECK(offer->is_oldest);
    CHECK(parse_version_offer("client version 9.9 is too new. Maximum supported API version is 1.51.")
              ->version == api_version{1, 51});
  }

  TEST_CASE("other words offer nothing") {
    for (const auto text :
         {"", "client version 1.99", "client version 1.99 is too new. Maximum supported API version is ",
          "client version 1.99 is too new. Maximum supported API version is newer",
          "no such image: client version 1.99 is too new. Maximum supported API version is 1.51",
          "client version 1.99 is too new"})
      CHECK_MESSAGE(!parse_version_offer(text), text);
  }

  TEST_CASE("versions are compared as numbers") {
    CHECK(api_version{1, 9} < api_version{1, 10});
    CHECK(api_version{1, 100} < api_version{2, 0});
    CHECK(oldest_api < newest_api);
  }
}

}  // namespace dockline::engine
