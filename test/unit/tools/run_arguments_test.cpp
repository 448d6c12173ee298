#include "commands/run_arguments.hpp"

#include "unit/tools/parsed.hpp"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace dockline::tool {
namespace {

// The words between `dockline run` and the image, parsed.
run_arguments parse_run(const std::vector<std::string>& words) {
  run_arguments arguments = parsed<run_arguments>(words);
  arguments.image_and_command = {"app:1", "a", "-b"};
  return arguments;
}

std::optional<engine::container_options> container(std::vector<std::string> words) {
  console terminal;
  return container_of(parse_run(std::move(words)), terminal);
}

}  // namespace

TEST_SUITE("tools/run_arguments") {
  TEST_CASE("ports, as docker's --publish writes them") {
    struct row {
      std::string_view text, container, ip, host;
    };
    const row rows[] = {
        {"80", "80/tcp", "", ""},
        {"80/udp", "80/udp", "", ""},
        {"80/sctp", "80/sctp", "", ""},
        {"8080:80", "80/tcp", "", "8080"},
        {"127.0.0.1:8080:80/tcp", "80/tcp", "127.0.0.1", "8080"},
        {"127.0.0.1::80", "80/tcp", "127.0.0.1", ""},
        {"[::1]:8080:80", "80/tcp", "::1", "8080"},
        {"[::1]::53/udp", "53/udp", "::1", ""},
        {":80", "80/tcp", "", ""},
        {"65535:65535", "65535/tcp", "", "65535"},
    };
    for (const auto& one : rows) {
      const auto parsed = parse_port(one.text);
      REQUIRE_MESSAGE(parsed, one.text);
      CHECK_MESSAGE(parsed->container_port == one.container, one.text);
      CHECK_MESSAGE(parsed->host_ip == one.ip, one.text);
      CHECK_MESSAGE(parsed->host_port == one.host, one.text);
    }
  }

  TEST_CASE("what is no port") {
    for (const auto text :
         {"", ":", "/tcp", "80/", "80/icmp", "x", "80:", "x:80", "65536", "123456", "-1", "80-90",
          "127.0.0.1:80", "[::1]:80", "[::1:80:80", "[]:80:80", "80 ", "8080:80:tcp"})
      CHECK_MESSAGE(!parse_port(text), text);
  }

  TEST_CASE("each option arrives in the container") {
    ::setenv("DOCKLINE_TEST_SET", "outside", 1);
    ::unsetenv("DOCKLINE_TEST_UNSET");
    const auto made = container({"--name",       "n",
                                 "-e",           "A=1",
                                 "--env",        "DOCKLINE_TEST_SET",
                                 "-e",           "DOCKLINE_TEST_UNSET",
                                 "-e",           "E=",
                                 "-v",           "/h:/c:ro",
                                 "-p",           "8080:80",
                                 "--network",    "none",
                                 "-w",           "/w",
                                 "-u",           "1:2",
                                 "--entrypoint", "/e"});
    REQUIRE(made);
    CHECK(made->image == "app:1");
    CHECK(made->cmd == std::vector<std::string>{"a", "-b"});
    CHECK(made->name == "n");
    CHECK(made->env == std::vector<std::string>{"A=1", "DOCKLINE_TEST_SET=outside", "E="});
    CHECK(made->binds == std::vector<std::string>{"/h:/c:ro"});
    REQUIRE(made->ports.size() == 1);
    CHECK(made->ports[0].host_port == "8080");
    CHECK(made->network_mode == "none");
    CHECK(made->working_dir == "/w");
    CHECK(made->user == "1:2");
    CHECK(made->entrypoint == std::vector<std::string>{"/e"});
    CHECK_FALSE(made->auto_remove);
  }

  TEST_CASE("an entry point: the image's, none, or another") {
    CHECK_FALSE(container({})->entrypoint);
    const auto none = container({"--entrypoint", ""});
    REQUIRE(none->entrypoint);
    CHECK(none->entrypoint->empty());
    CHECK(container({"--entrypoint", "/x"})->entrypoint == std::vector<std::string>{"/x"});
  }

  TEST_CASE("a value that cannot be is refused") {
    CHECK_FALSE(container({"-e", "=x"}));
    CHECK_FALSE(container({"-e", ""}));
    CHECK_FALSE(container({"-p", "http"}));
  }
}

}  // namespace dockline::tool
