// Which of a daemon's builders containerize's local builder takes, and what it tells each.

#include "exchange/local_building.hpp"

#include <algorithm>

namespace dockline::test {
namespace {

using containerize::daemon_builder;

const std::string buildkit_ping =
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nBuilder-Version: 2\r\nContent-Length: 2\r\n\r\nOK";

std::string build_line(routed_daemon& other) {
  for (const std::string& line : other.lines()) {
    if (line.starts_with("POST /v1.41/build?")) return line;
  }
  return {};
}

// By whichever builder the daemon has, and not pushed.
struct building_by_choice : building {
  explicit building_by_choice(routed_daemon& other) : building(other) {
    options.builder = daemon_builder::automatic;
    order.push = false;
  }
};

bool has(const std::string& line, std::string_view what) { return line.find(what) != std::string::npos; }

}  // namespace

TEST_SUITE("exchange/buildkit/local_builder") {
  TEST_CASE("BuildKit is told the cache, and to leave one") {
    routed_daemon other({{"POST /v1.41/build", chunked_answer({built})},
                         {"GET /_ping", buildkit_ping},
                         {"GET /v1.41/images/h:5000/cache:1/json", there},
                         {"POST /v1.41/images/create", pulled}});
    building_by_choice talk(other);
    talk.order.cache_from = "h:5000/cache:1";
    const auto made = talk.make();
    REQUIRE_MESSAGE(!made.code, made.words());
    CHECK(made.value.builder == "buildkit");
    const std::string line = build_line(other);
    INFO(line);
    CHECK(has(line, "version=2"));
    CHECK(has(line, "BUILDKIT_INLINE_CACHE%22%3A%221"));
    CHECK(has(line, "cachefrom=%5B%22h%3A5000%2Fcache%3A1%22%5D"));
    CHECK(has(line, "t=h%3A5000%2Fapp%3A1"));
    const auto lines = other.lines();
    CHECK(std::ranges::count(lines, "POST /v1.41/session") == 1);
  }

  TEST_CASE("BuildKit without a session knows the context by its compression") {
    routed_daemon other({{"POST /v1.41/build", chunked_answer({built})}, {"GET /_ping", buildkit_ping}});
    building_by_choice talk(other);
    // A tar that begins with the header of this name would be taken for a Dockerfile.
    talk.tree.file("A\xc3\xa9", "x");
    REQUIRE(!talk.make().code);
    CHECK(other.context().starts_with("\x1f\x8b"));
    talk.options.builder = daemon_builder::classic;
    REQUIRE(!talk.make().code);
    CHECK(other.context().starts_with("PaxHeaders.0/"));
  }

  TEST_CASE("a daemon without BuildKit builds classically, and leaves no cache") {
    routed_daemon other({{"POST /v1.41/build", built_of_three}});
    building_by_choice talk(other);
    const auto made = talk.make();
    REQUIRE_MESSAGE(!made.code, made.words());
    CHECK(made.value.builder == "classic");
    CHECK(made.value.steps == 3);
    const std::string line = build_line(other);
    CHECK(!has(line, "version=2"));
    CHECK(!has(line, "BUILDKIT_INLINE_CACHE"));
    // Not where BuildKit is what is wanted.
    talk.options.builder = daemon_builder::buildkit;
    const auto refused = talk.make();
    CHECK(refused.code == errc::unsupported_parameter);
    CHECK(has(refused.words(), "has no BuildKit"));
  }

  TEST_CASE("podman gets neither, and is asked for a session once") {
    routed_daemon other({{"POST /v1.41/build", built_of_three},
                         {"GET /_ping", podman_ping},
                         {"GET /v1.41/images/h:5000/cache:1/json", there},
                         {"POST /v1.41/images/create", pulled}});
    building_by_choice talk(other);
    talk.order.cache_from = "h:5000/cache:1";
    const auto made = talk.make();
    REQUIRE_MESSAGE(!made.code, made.words());
    CHECK(made.value.builder == "classic");
    CHECK(!has(build_line(other), "cachefrom"));
    CHECK(!has(build_line(other), "BUILDKIT_INLINE_CACHE"));
    const auto lines = other.lines();
    CHECK(std::ranges::count(lines, "POST /v1.41/session") == 1);
  }
}

}  // namespace dockline::test
