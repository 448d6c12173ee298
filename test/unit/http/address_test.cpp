#include "dockline/http/address.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::http {

TEST_SUITE("http/address") {
  TEST_CASE("the path of a Unix socket, there and back") {
    diagnostics why;
    const auto where = parse_address("unix:///run/docker.sock", why);
    REQUIRE(where.has_value());
    CHECK(where->path == "/run/docker.sock");
    CHECK(to_string(*where) == "unix:///run/docker.sock");
    CHECK(why.empty());
    CHECK(parse_address("unix:///" + std::string(106, 'a'), why)->path.size() == 107);
  }

  TEST_CASE("what is none says why, and names what was given") {
    const auto refused = [](const std::string& text) {
      diagnostics why;
      const auto where = parse_address(text, why);
      REQUIRE_FALSE(where.has_value());
      CHECK(where.error() == errc::invalid_address);
      CHECK(why.client_message().find(text) != std::string::npos);
      return why.client_message();
    };
    CHECK(refused("/run/docker.sock").find("no scheme") != std::string::npos);
    CHECK(refused("").find("no scheme") != std::string::npos);
    CHECK(refused("tcp://127.0.0.1:2375").find("unix:// only") != std::string::npos);
    CHECK(refused("unix://").find("absolute") != std::string::npos);
    CHECK(refused("unix://run/docker.sock").find("absolute") != std::string::npos);
    CHECK(refused("unix:///" + std::string(107, 'a')).find("at most 107") != std::string::npos);
    CHECK(refused(std::string("unix:///a\0b", 11)).find("NUL") != std::string::npos);
  }
}

}  // namespace dockline::http
