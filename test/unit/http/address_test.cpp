#include "dockline/http/address.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

namespace dockline::http {
namespace {

address parsed(const std::string& text) {
  CAPTURE(text);
  diagnostics why;
  const auto where = parse_address(text, why);
  CAPTURE(why.client_message());
  REQUIRE(where.has_value());
  CHECK(why.empty());
  return *where;
}

std::string refused(const std::string& text) {
  diagnostics why;
  const auto where = parse_address(text, why);
  CAPTURE(text);
  REQUIRE_FALSE(where.has_value());
  CHECK(where.error() == errc::invalid_address);
  return why.client_message();
}

}  // namespace

TEST_SUITE("http/address") {
  TEST_CASE("the path of a Unix socket, there and back") {
    const address where = parsed("unix:///run/docker.sock");
    CHECK(where.over == transport::unix_socket);
    CHECK(where.path == "/run/docker.sock");
    CHECK(to_string(where) == "unix:///run/docker.sock");
    CHECK(parsed("unix:///" + std::string(106, 'a')).path.size() == 107);
  }

  TEST_CASE("host and port of TCP, and what is written back") {
    struct row {
      const char* text;
      const char* host;
      int port;
      const char* back;
    };
    const std::vector<row> rows = {
        {"tcp://127.0.0.1:2375", "127.0.0.1", 2375, "tcp://127.0.0.1:2375"},
        {"tcp://build.example", "build.example", 0, "tcp://build.example"},
        {"tcp://build.example:2376/", "build.example", 2376, "tcp://build.example:2376"},
        {"tcp://[::1]:1", "::1", 1, "tcp://[::1]:1"},
        {"tcp://[fe80::1%eth0]", "fe80::1%eth0", 0, "tcp://[fe80::1%eth0]"},
        {"tcp://:65535", "localhost", 65535, "tcp://localhost:65535"},
        {"tcp://", "localhost", 0, "tcp://localhost"},
        {"10.0.0.1:2375", "10.0.0.1", 2375, "tcp://10.0.0.1:2375"},
    };
    for (const auto& [text, host, port, back] : rows) {
      const address where = parsed(text);
      CHECK(where.over == transport::tcp);
      CHECK(where.host == host);
      CHECK(where.port == port);
      CHECK(to_string(where) == back);
    }
  }

  TEST_CASE("user, host, port and remote socket of ssh") {
    address where = parsed("ssh://me@build.example:2222/run/user/1000/docker.sock");
    CHECK(where.over == transport::ssh);
    CHECK(where.user == "me");
    CHECK(where.host == "build.example");
    CHECK(where.port == 2222);
    CHECK(where.path == "/run/user/1000/docker.sock");
    CHECK(to_string(where) == "ssh://me@build.example:2222/run/user/1000/docker.sock");
    where = parsed("ssh://alias/");
    CHECK(where.user.empty());
    CHECK(where.port == 0);
    CHECK(to_string(where) == "ssh://alias");
    CHECK(to_string(parsed("ssh://[::1]:22")) == "ssh://[::1]:22");
    CHECK(parsed("ssh://me@corp@host").user == "me@corp");
  }

  TEST_CASE("what is none says why, and names what was given") {
    struct row {
      std::string text;
      const char* reason;
    };
    const std::vector<row> rows = {
        {"/run/docker.sock", "no scheme"},
        {"", "no scheme"},
        {"docker", "no scheme"},
        {"npipe:////./pipe/docker_engine", "npipe:// is not spoken here"},
        {"http://127.0.0.1:2375", "written tcp://HOST:PORT"},
        {"https://127.0.0.1:2375", "written tcp://HOST:PORT"},
        {"unix://", "absolute"},
        {"unix://run/docker.sock", "absolute"},
        {"unix:///" + std::string(107, 'a'), "at most 107"},
        {std::string("unix:///a\0b", 11), "NUL"},
        {"tcp://host:2375/base", "a path behind the port"},
        {"tcp://host?x=1", "a path behind the port"},
        {"tcp://me@host", "no user"},
        {"tcp://host:", "from 1 to 65535"},
        {"tcp://host:0", "from 1 to 65535"},
        {"tcp://host:65536", "from 1 to 65535"},
        {"tcp://host:-1", "from 1 to 65535"},
        {"tcp://host:80x", "from 1 to 65535"},
        {"tcp://::1:2375", "in brackets"},
        {"tcp://[::1", "']'"},
        {"tcp://[::1]2375", "behind the ']'"},
        {"tcp://[localhost]:1", "no IPv6 address"},
        {"tcp://a b:1", "name or address"},
        {"tcp://-a:1", "name or address"},
        {"ssh://", "the host is missing"},
        {"ssh://me@", "the host is missing"},
        {"ssh://-oProxyCommand=touch", "name or address"},
        {"ssh://-oProxyCommand@host", "name of a user"},
        {"ssh://a b@host", "name of a user"},
        {"ssh://host?x", "neither query nor fragment"},
        {"ssh://host/a\nb", "control character"},
    };
    for (const auto& [text, reason] : rows) {
      const std::string words = refused(text);
      CAPTURE(words);
      CHECK(words.find(text) != std::string::npos);
      CHECK(words.find(reason) != std::string::npos);
    }
  }

  TEST_CASE("a password in an ssh address is refused, and not repeated") {
    const std::string words = refused("ssh://me:hunter2@host");
    CHECK(words.find("a password does not belong") != std::string::npos);
    CHECK(words.find("hunter2") == std::string::npos);
  }
}

}  // namespace dockline::http
