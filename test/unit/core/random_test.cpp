#include "core/random.hpp"

#include <doctest/doctest.h>

#include <cstddef>

using dockline::random_bytes;

TEST_SUITE("core/random") {
  TEST_CASE("as many bytes as asked for, others each time") {
    for (const std::size_t count : {0U, 1U, 16U, 256U, 257U, 1000U})
      CHECK(random_bytes(count).size() == count);
    CHECK(random_bytes(16) != random_bytes(16));
    // The last byte, too, is the kernel's.
    const auto last_is_zero = [] { return random_bytes(257).back() == '\0'; };
    CHECK_FALSE((last_is_zero() && last_is_zero() && last_is_zero() && last_is_zero()));
  }
}
