#include "gcp/crc32c.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace dockline::gcp {
namespace {

std::string text_of(std::string_view bytes, std::size_t piece = 1000) {
  crc32c crc;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    const auto part = bytes.substr(i, piece);
    crc.add(boost::asio::buffer(part.data(), part.size()));
  }
  return crc.text();
}

}  // namespace

TEST_SUITE("gcp/crc32c") {
  TEST_CASE("the values that are known, in one piece and in many") {
    crc32c check;
    check.add(boost::asio::buffer("123456789", 9));
    CHECK(check.value() == 0xE3069283);
    CHECK(check.text() == "4waSgw==");
    CHECK(text_of("") == "AAAAAA==");
    // RFC 3720, B.4.
    CHECK(text_of(std::string(32, '\0')) == "ipE2qg==");
    CHECK(text_of(std::string(32, '\xff')) == "YqirQw==");
    const std::string long_text(100'000, 'a');
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{65'536}})
      CHECK(text_of(long_text, piece) == text_of(long_text, long_text.size()));
  }
}

}  // namespace dockline::gcp
