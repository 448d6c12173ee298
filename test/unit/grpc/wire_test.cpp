#include "grpc/wire.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dockline::grpc {
namespace {

using namespace std::string_view_literals;

std::string message(std::string_view text) {
  const auto head = message_head(static_cast<std::uint32_t>(text.size()));
  return std::string(head.data(), head.size()) + std::string(text);
}

struct outcome {
  std::vector<std::string> messages;
  error_code failure;

  bool operator==(const outcome&) const = default;
};

outcome take_apart(std::string_view bytes, std::size_t cut, std::size_t longest) {
  outcome seen;
  message_decoder decoder(longest);
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::string chunk(rest.substr(0, cut));
    rest.remove_prefix(chunk.size());
    for (std::string_view left = chunk; !left.empty();) {
      const auto eaten = decoder.eat(left);
      if (!eaten) {
        seen.failure = eaten.error();
        CHECK(decoder.finish() == seen.failure);
        CHECK(decoder.eat("more").error() == seen.failure);
        return seen;
      }
      left.remove_prefix(*eaten);
      if (decoder.done()) seen.messages.push_back(decoder.take());
    }
  }
  seen.failure = decoder.finish();
  return seen;
}

void check(std::string_view bytes, const std::vector<std::string>& messages, error_code failure = {},
           std::size_t longest = 100) {
  for (const std::size_t cut : {1u, 2u, 4u, 5u, 6u, 1000u}) {
    CAPTURE(cut);
    const outcome seen = take_apart(bytes, cut, longest);
    CHECK(seen.messages == messages);
    CHECK(seen.failure == failure);
  }
}

}  // namespace

TEST_SUITE("grpc/wire") {
  TEST_CASE("messages come whole, however the bytes are cut") {
    check("", {});
    check(message(""), {""});
    check(message("one") + message("") + message("three"), {"one", "", "three"});
    check(message(std::string(100, 'x')), {std::string(100, 'x')});
  }

  TEST_CASE("the head is what gRPC has") {
    CHECK(message("ab") == "\0\0\0\0\2ab"sv);
    CHECK(std::string_view(message_head(0x01020304).data(), 5) == "\0\1\2\3\4"sv);
  }

  TEST_CASE("a message above the limit is refused by its head") {
    check(message("fine") + message(std::string(101, 'x')), {"fine"}, errc::message_too_long);
    check("\0\xff\xff\xff\xff"sv, {}, errc::message_too_long);
  }

  TEST_CASE("so is a compressed one, and a head that cannot be one") {
    check(message("fine") + std::string("\1\0\0\0\1x", 6), {"fine"}, errc::malformed_message);
    check("HTTP/1.1", {}, errc::malformed_message);
  }

  TEST_CASE("bytes that end inside a message were cut") {
    const std::string whole = message("one") + message("two");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      const outcome seen = take_apart(std::string_view(whole).substr(0, size), 3, 100);
      CHECK(seen.failure == (size % 8 == 0 ? error_code() : make_error_code(errc::connection_lost)));
    }
  }
}

}  // namespace dockline::grpc
