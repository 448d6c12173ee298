#include "engine/answers.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "engine/settings_file.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace dockline::engine {
namespace {

std::chrono::nanoseconds time_told(std::string_view event) {
  const auto parsed = json::parse(event);
  return read_event(parsed->root(), event).time.time_since_epoch();
}

result<container_path> path_told(std::string_view object) {
  diagnostics why;
  return read_container_path(encode_base64(object), why);
}

}  // namespace

TEST_SUITE("engine/answers") {
  using namespace std::chrono_literals;

  TEST_CASE("the time of an event: to the nanosecond, or in whole seconds from daemons that tell no more") {
    CHECK(time_told(R"({"time":5,"timeNano":5000000007})") == 5'000'000'007ns);
    CHECK(time_told(R"({"time":5})") == 5s);
    CHECK(time_told("{}") == 0s);
    // The clock counts nanoseconds, and has no such second.
    CHECK(time_told(R"({"time":9223372036854775807})") == 9'223'372'036s);
    CHECK(time_told(R"({"time":-9223372036854775807})") == -9'223'372'036s);
  }

  TEST_CASE("what a path is, and which of Go's bits are Unix's") {
    CHECK(path_told(R"({"mode":2147484141})")->type == container_path_type::directory);
    CHECK(path_told(R"({"mode":2147484141})")->permissions == 0755);
    CHECK(path_told(R"({"mode":134218239,"linkTarget":"/a"})")->type == container_path_type::symlink);
    CHECK(path_told(R"({"mode":8389101})")->permissions == 04755);
    CHECK(path_told(R"({"mode":67108864})")->type == container_path_type::other);
    CHECK(path_told("{}")->type == container_path_type::file);
    CHECK(path_told("").error() == errc::unexpected_answer);
    CHECK(path_told("{").error() == errc::malformed_json);
  }

  TEST_CASE("a container without an id, and one without a status") {
    diagnostics why;
    CHECK(read_container_created(R"({"Id":"","Warnings":["w"]})", why).error() == errc::unexpected_answer);
    CHECK(why.client_message() == "the daemon made a container without telling its id");
    CHECK(read_container_exit("{}", "c1", why).error() == errc::unexpected_answer);
    CHECK(why.client_message() == "the daemon did not tell the status of container c1");
    CHECK(read_container_exit(R"({"StatusCode":3,"Error":{"Message":"m"}})", "c1", why)->error == "m");
  }

  TEST_CASE("an answer that is no JSON") {
    diagnostics why;
    CHECK(parse_answer("<html>", why).error() == errc::malformed_json);
    CHECK(why.client_message().starts_with("the daemon's answer: "));
  }

  TEST_CASE("a context's file: its name, its daemon, and the place of what is wrong") {
    diagnostics why;
    const auto context = parse_docker_context(
        R"({"Name":"n","Metadata":{"Description":"d"},"Endpoints":{"docker":{"Host":"tcp://h:1","SkipTLSVerify":true}}})",
        "meta.json", why);
    REQUIRE(context.has_value());
    CHECK(context->name == "n");
    CHECK(context->description == "d");
    CHECK(context->host == "tcp://h:1");
    CHECK_FALSE(context->tls.verify);
    CHECK(parse_docker_context("{\n \"Name\"}", "meta.json", why).error() == errc::bad_configuration);
    CHECK(why.client_message().starts_with("meta.json:2:"));
  }
}

}  // namespace dockline::engine
