#include "engine/system_requests.hpp"

#include "unit/engine/request_text.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace dockline::engine {
namespace {

std::chrono::system_clock::time_point at(std::int64_t nanoseconds) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace

TEST_SUITE("engine/system_requests") {
  TEST_CASE("info and events") {
    CHECK(text(requests::info()) == bare("GET /v1.51/info"));
    events_options options;
    CHECK(text(requests::events(options)) == bare("GET /v1.51/events"));
    CHECK(requests::events(options).silent);
    options.since = at(1'700'000'000'000'000'123);
    options.until = at(1'700'000'001'500'000'000);
    options.filters = {{"type", {"image", "container"}}};
    CHECK(
        text(requests::events(options)) ==
        bare("GET /v1.51/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%2C%22image%22%3Atrue%7D%7D&"
             "since=1700000000&until=1700000002"));
  }

  TEST_CASE("disk usage: the types since 1.42") {
    diagnostics why;
    disk_usage_options options;
    CHECK(text(requests::disk_usage(options, {1, 24}, why)) == bare("GET /v1.51/system/df"));
    options.types = {"image", "build-cache"};
    CHECK(text(requests::disk_usage(options, newest, why)) ==
          bare("GET /v1.51/system/df?type=image&type=build-cache"));
    CHECK(requests::disk_usage(options, {1, 41}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "the choice of what to look at needs API 1.42, this daemon speaks 1.41");
  }

  TEST_CASE("build cache: prune, under its old name and its new one, and cancel") {
    diagnostics why;
    build_prune_options options;
    CHECK(text(requests::build_prune(options, newest, why)) == bare("POST /v1.51/build/prune", "", true));
    options.all = true;
    options.reserved_space = 1000;
    options.filters = {{"until", {"24h"}}};
    CHECK(text(requests::build_prune(options, newest, why)) ==
          bare("POST /v1.51/build/"
               "prune?all=1&filters=%7B%22until%22%3A%7B%2224h%22%3Atrue%7D%7D&reserved-space=1000",
               "", true));
    CHECK(requests::build_prune(options, {1, 41}, why)->parameters.text() ==
          "?all=1&filters=%7B%22until%22%3A%7B%2224h%22%3Atrue%7D%7D&keep-storage=1000");
    CHECK(requests::build_prune(options, {1, 30}, why).error() == errc::unsupported_parameter);
    options.max_used_space = 5;
    options.min_free_space = 6;
    CHECK(requests::build_prune(options, newest, why)
              ->parameters.text()
              .ends_with("&max-used-space=5&min-free-space=6&reserved-space=1000"));
    CHECK(requests::build_prune(options, {1, 47}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() ==
          "a bound on the build cache's space needs API 1.48, this daemon speaks 1.47");

    CHECK(text(requests::build_cancel("b 1", newest, why)) ==
          bare("POST /v1.51/build/cancel?id=b+1", "", true));
    CHECK(requests::build_cancel("", newest, why).error() == errc::invalid_argument);
    CHECK(requests::build_cancel("b", {1, 38}, why).error() == errc::unsupported_parameter);
  }
}

}  // namespace dockline::engine
