#include "engine/endpoint.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace dockline::engine {

TEST_SUITE("engine/endpoint") {
  TEST_CASE("query: only what was set, sorted, escaped as Go does it") {
    CHECK(query().text() == "");
    query text;
    text.add("z", "").add_text("empty", "").add_number("zero", 0).add_flag("off", false);
    text.add_text("b", "x y&z=\xc3\xa4").add_number("n", -5).add_flag("on", true).add("b", "/:~-_.*");
    CHECK(text.text() == "?b=x+y%26z%3D%C3%A4&b=%2F%3A~-_.%2A&n=-5&on=1&z=");
  }

  TEST_CASE("names keep their slashes, and nothing else that could end a path") {
    CHECK(escape_name("") == "");
    CHECK(escape_name("app:1") == "app:1");
    CHECK(escape_name("[::1]:5000/team/app@sha256:aa") == "%5B::1%5D:5000/team/app@sha256:aa");
    CHECK(escape_name("a?b#c d%/e\\\n") == "a%3Fb%23c%20d%25/e%5C%0A");
    CHECK(escape_name("/a//b/") == "/a//b/");
  }

  TEST_CASE("each status has its code and kind") {
    struct row {
      int status;
      errc code;
      condition kind;
    };
    const row rows[] = {
        {400, errc::bad_request, condition::invalid_argument},
        {401, errc::unauthorized, condition::unauthorized},
        {403, errc::denied, condition::denied},
        {404, errc::not_found, condition::not_found},
        {405, errc::not_acceptable, condition::unsupported},
        {406, errc::not_acceptable, condition::unsupported},
        {409, errc::conflict, condition::conflict},
        {412, errc::conflict, condition::conflict},
        {418, errc::refused, condition::service_failed},
        {429, errc::refused, condition::service_failed},
        {500, errc::service_failed, condition::service_failed},
        {501, errc::not_acceptable, condition::unsupported},
        {503, errc::service_failed, condition::service_failed},
        {302, errc::unexpected_answer, condition::peer_misbehaved},
    };
    for (const auto& one : rows) {
      diagnostics why;
      const error_code code = code_of_status(one.status, R"({"message":"words"})", why);
      CHECK_MESSAGE(code == one.code, one.status);
      CHECK_MESSAGE(code == one.kind, one.status);
      CHECK(why.server_message() == "words");
    }
  }

  TEST_CASE("the daemon's words, in whichever form it says them") {
    struct row {
      std::string_view body;
      std::string_view words;
    };
    const row rows[] = {
        {R"({"message":"No such image: x"})", "No such image: x"},
        {"{\"message\":\"No such image: x\"}\n", "No such image: x"},
        {R"({"cause":"image not known","message":"x: image not known","response":404})",
         "x: image not known"},
        {R"({"errorDetail":{"message":"denied"},"error":"denied again"})", "denied"},
        {R"({"error":"only this"})", "only this"},
        {R"({"message":"","error":"not empty"})", "not empty"},
        {"client version 1.20 is too old. Minimum supported API version is 1.24\n",
         "client version 1.20 is too old. Minimum supported API version is 1.24"},
        {"<html>\xff</html>", "<html>\xef\xbf\xbd</html>"},
        {R"({"message":5})", R"({"message":5})"},
        {"[1,2]", "[1,2]"},
    };
    for (const auto& one : rows) {
      diagnostics why;
      CHECK(code_of_status(404, one.body, why) == errc::not_found);
      CHECK(why.server_message() == one.words);
    }
  }

  TEST_CASE("podman's empty body: the status speaks") {
    for (const auto body : {"", "\n", "  \r\n"}) {
      diagnostics why;
      CHECK(code_of_status(500, body, why) == errc::service_failed);
      CHECK(why.server_message() == "");
      CHECK(why.client_message() == "the daemon answered with status 500");
    }
    diagnostics known;
    const error_code code = code_of_status(404, "", known);
    CHECK(describe(code, known) == "not found");
  }

  TEST_CASE("a proxy's page of an error is cut") {
    diagnostics why;
    code_of_status(502, std::string(100'000, 'x'), why);
    CHECK(why.server_message() == std::string(2000, 'x'));
  }

  TEST_CASE("a version that has a parameter says nothing") {
    diagnostics why;
    CHECK(require_version({1, 41}, {1, 41}, "it", why).has_value());
    CHECK(why.empty());
    const auto missing = require_version({1, 9}, {1, 10}, "the thing", why);
    CHECK(missing.error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "the thing needs API 1.10, this daemon speaks 1.9");
  }
}

}  // namespace dockline::engine
