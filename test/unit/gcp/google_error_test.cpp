#include "gcp/google_error.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::gcp {
namespace {

std::string read(std::string_view body) {
  const google_error told = read_google_error(body);
  return told.reason + '|' + told.subtype + '|' + told.message;
}

}  // namespace

TEST_SUITE("gcp/google_error") {
  TEST_CASE("every shape that a refusal has") {
    CHECK(read(R"({"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT","details":[]}})") ==
          "INVALID_ARGUMENT||bad");
    CHECK(
        read(
            R"({"error":{"code":404,"message":"Not Found","errors":[{"message":"no","reason":"notFound"}]}})") ==
        "notFound||Not Found");
    CHECK(read(R"({"error":{"errors":[{"message":"no","reason":"notFound"}]}})") == "notFound||no");
    // Of other servers: the code a string, the message an object, no list.
    CHECK(read(R"({"error":{"code":"404","message":{"error":"no such bucket"}}})") == "||no such bucket");
    CHECK(read(R"({"error":{"message":{"x":{"y":"deep"}}}})") == "||deep");
    CHECK(read(R"({"code":"InternalError","message":"oops"})") == "||oops");
    CHECK(read(R"([{"error":{"message":"in a list"}}])") == "||in a list");
    CHECK(read(R"({"error":"invalid_grant","error_description":"Bad","error_subtype":"invalid_rapt"})") ==
          "invalid_grant|invalid_rapt|Bad");
    CHECK(read(R"({"error":"invalid_grant"})") == "invalid_grant||invalid_grant");
    CHECK(read("<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access denied.</Message>"
               "<Details>x does not have y</Details></Error>") ==
          "AccessDenied||Access denied.: x does not have y");
    CHECK(read("Not Found\nmore") == "||Not Found");
    CHECK(read("<html><body>502</body></html>") == "||");
    CHECK(read("") == "||");
    CHECK(read("null") == "||null");
    CHECK(read("{\"error\":{\"message\":\"a\\n\\u001b[31mb\"}}") == "||a  [31mb");
    CHECK(read(std::string(10'000, 'x')).size() < 3'000);
  }

  TEST_CASE("codes, and whose words they are") {
    diagnostics why;
    CHECK(code_of_answer(403, R"({"error":{"message":"m","status":"PERMISSION_DENIED"}})", "Cloud Build",
                         why) == errc::denied);
    CHECK(describe(errc::denied, why) == "Cloud Build answered 403 PERMISSION_DENIED: m");
    CHECK(code_of_answer(400, "", "s", why) == errc::bad_request);
    CHECK(why.client_message() == "s answered 400");
    CHECK(why.server_message().empty());
    CHECK(code_of_answer(401, "", "s", why) == errc::unauthorized);
    CHECK(code_of_answer(404, "", "s", why) == errc::not_found);
    CHECK(code_of_answer(409, "", "s", why) == errc::conflict);
    CHECK(code_of_answer(412, "", "s", why) == errc::conflict);
    CHECK(code_of_answer(429, "", "s", why) == errc::refused);
    CHECK(code_of_answer(500, "", "s", why) == errc::service_failed);
    CHECK(code_of_answer(501, "", "s", why) == errc::not_acceptable);
    CHECK(code_of_answer(302, "", "s", why) == errc::unexpected_answer);
  }

  TEST_CASE("what may be otherwise in a moment") {
    for (const int status : {408, 429, 500, 502, 503, 504}) CHECK(is_transient(status));
    for (const int status : {200, 308, 400, 401, 403, 404, 409, 410, 412, 501})
      CHECK_FALSE(is_transient(status));
    for (const errc code : {errc::connection_lost, errc::cannot_connect, errc::timed_out})
      CHECK(is_transient(make_error_code(code)));
    for (const errc code : {errc::tls_failed, errc::denied, errc::malformed_http})
      CHECK_FALSE(is_transient(make_error_code(code)));
  }
}

}  // namespace dockline::gcp
