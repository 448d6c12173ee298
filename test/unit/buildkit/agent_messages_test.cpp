#include "buildkit/agent_messages.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {
namespace {

using namespace std::string_view_literals;

struct outcome {
  std::vector<std::string> messages;
  error_code failure;
};

outcome take_apart(std::string_view bytes, std::size_t cut) {
  outcome seen;
  agent_messages messages;
  while (!bytes.empty()) {
    std::string_view chunk = bytes.substr(0, cut);
    bytes.remove_prefix(chunk.size());
    while (!chunk.empty()) {
      const auto eaten = messages.eat(chunk);
      if (!eaten) {
        seen.failure = eaten.error();
        CHECK(messages.eat("more").error() == seen.failure);
        CHECK(messages.finish() == seen.failure);
        return seen;
      }
      chunk.remove_prefix(*eaten);
      if (messages.done()) seen.messages.push_back(messages.take());
    }
  }
  seen.failure = messages.finish();
  return seen;
}

void check(std::string_view bytes, const std::vector<std::string>& messages, error_code failure = {}) {
  for (std::size_t cut = 1; cut <= bytes.size() + 1; ++cut) {
    CAPTURE(cut);
    const outcome seen = take_apart(bytes, cut);
    CHECK(seen.messages == messages);
    CHECK(seen.failure == failure);
  }
}

}  // namespace

TEST_SUITE("buildkit/agent_messages") {
  TEST_CASE("messages come whole, with their length") {
    const std::string list("\0\0\0\1\x0b", 5);
    const std::string sign(
        "\0\0\0\3\x0d"
        "ab",
        7);
    check("", {});
    check(list + sign + list, {list, sign, list});
  }

  TEST_CASE("what cannot be one") {
    check("\0\0\0\0\x0b"sv, {}, errc::malformed_stream);
    check("\0\4\0\1x"sv, {}, errc::message_too_long);
    check("\0\0\0\2\x0b"sv, {}, errc::connection_lost);
    check("\0\0"sv, {}, errc::connection_lost);
  }

  TEST_CASE("a build may list keys and sign, and change nothing") {
    for (int kind = 0; kind < 256; ++kind) {
      const std::string request = std::string("\0\0\0\1", 4) + static_cast<char>(kind);
      CHECK(is_allowed(request) == (kind == 11 || kind == 13));
    }
    CHECK_FALSE(is_allowed(""));
    CHECK_FALSE(is_allowed("\0\0\0\0"sv));
    CHECK(agent_failure() == "\0\0\0\1\5"sv);
  }
}

}  // namespace dockline::buildkit
