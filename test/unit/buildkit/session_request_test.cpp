#include "buildkit/session_request.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::buildkit {

TEST_SUITE("buildkit/session_request") {
  TEST_CASE("it names the session and everything that may be called") {
    diagnostics why;
    const auto what = session_request("abc", "dockline", "k1", {"/a.B/C", "/a.B/D"}, why);
    REQUIRE(what.has_value());
    std::string text = what->method + " " + what->path + "\n";
    for (const auto& [name, value] : what->fields) text += name + ": " + value + "\n";
    CHECK(text ==
          "POST /session\n"
          "Connection: Upgrade\n"
          "Upgrade: h2c\n"
          "X-Docker-Expose-Session-Uuid: abc\n"
          "X-Docker-Expose-Session-Name: dockline\n"
          "X-Docker-Expose-Session-Sharedkey: k1\n"
          "X-Docker-Expose-Session-Grpc-Method: /a.B/C\n"
          "X-Docker-Expose-Session-Grpc-Method: /a.B/D\n");
    CHECK(what->silent);
  }

  TEST_CASE("what does not go into a header is refused") {
    diagnostics why;
    CHECK(session_request("a\r\nX: y", "n", "k", {}, why).error() == errc::invalid_argument);
    CHECK(session_request("a", "caf\xc3\xa9", "k", {}, why).error() == errc::invalid_argument);
    CHECK(session_request("a", "n", std::string("k\0", 2), {}, why).error() == errc::invalid_argument);
    CHECK(why.client_message() == "session: its id, name and key are printable ASCII");
  }
}

}  // namespace dockline::buildkit
