#include "containerize/python_version.hpp"

#include <doctest/doctest.h>

#include <array>
#include <compare>
#include <cstddef>
#include <string_view>
#include <utility>

namespace dockline::containerize {

TEST_SUITE("containerize/python_version") {
  TEST_CASE("the order of PEP 440") {
    constexpr std::array<std::string_view, 24> ascending = {
        "nonsense",
        "1.15.5",
        "2.0.dev1",
        "2.0a1",
        "2.0a2.dev3",
        "2.0a2",
        "2.0b1",
        "2.0rc2",
        "2.0rc10",
        "2.0",
        "2.0+local",
        "2.0+nv.9",
        "2.0+nv.10",
        "2.0+1",
        "2.0.post1.dev2",
        "2.0.post1",
        "2.0.1",
        "2.9.1",
        "2.10.0.dev20240101",
        "2.10.0.dev20240102",
        "2.10",
        "2.10.0.600",
        "10.0",
        "1!0.1",
    };
    for (std::size_t one = 0; one < ascending.size(); ++one) {
      for (std::size_t other = 0; other < ascending.size(); ++other) {
        CHECK_MESSAGE(compare_python_versions(ascending[one], ascending[other]) == (one <=> other),
                      ascending[one], " and ", ascending[other]);
      }
    }
  }

  TEST_CASE("ways to write the same version") {
    for (const auto& [one, other] :
         {std::pair("2.0", "2.0.0"), std::pair("v2.0", "2.0"), std::pair("2.0-rc1", "2.0.RC.1"),
          std::pair("2.0c1", "2.0rc1"), std::pair("2.0pre1", "2.0_preview_1"), std::pair("2.0alpha", "2.0a0"),
          std::pair("2.0beta2", "2.0b2"), std::pair("2.0-1", "2.0.post1"), std::pair("2.0r4", "2.0rev4"),
          std::pair("2.0-dev", "2.0.dev0"), std::pair("2.0+a_b.1", "2.0+a-b.01"), std::pair("0", "0.0.0")})
      CHECK_MESSAGE(std::is_eq(compare_python_versions(one, other)), one, " and ", other);
  }

  TEST_CASE("what is no version is before every one") {
    for (const char* bad : {"", "+nv", "2.0+", "2.0 x", "2.0cu11", "v", "1!", "2.0rc1x", "2..0"}) {
      CHECK_MESSAGE(std::is_lt(compare_python_versions(bad, "0.0.dev0")), bad);
      CHECK(std::is_eq(compare_python_versions(bad, "")));
    }
    CHECK(std::is_lt(compare_python_versions("99999999999999999999.1", "99999999999999999999.2")));
  }
}

}  // namespace dockline::containerize
