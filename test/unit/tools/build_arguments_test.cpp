#include "commands/build_arguments.hpp"

#include "unit/tools/parsed.hpp"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace dockline::tool {
namespace {

// What the daemon is asked for by the words after `dockline build`.
std::optional<engine::build_options> options_of(std::vector<std::string> words) {
  console terminal;
  return engine_options_of(parsed<build_arguments>(std::move(words)), terminal);
}

}  // namespace

TEST_SUITE("tools/build_arguments") {
  TEST_CASE("sizes are read as docker reads them") {
    const std::pair<std::string_view, std::int64_t> rows[] = {
        {"0", 0},
        {"1", 1},
        {"64m", 64 << 20},
        {"64M", 64 << 20},
        {"64mb", 64 << 20},
        {"64MB", 64 << 20},
        {"64MiB", 64 << 20},
        {"64 mb", 64 << 20},
        {"32k", 32 << 10},
        {"32kb", 32 << 10},
        {"10b", 10},
        {"10B", 10},
        {"1.5g", 3 << 29},
        {".5k", 512},
        {"0.3", 0},
        {"2t", std::int64_t{2} << 40},
        {"1p", std::int64_t{1} << 50},
    };
    for (const auto& [text, bytes] : rows) CHECK_MESSAGE(parse_size(text) == bytes, text);
  }

  TEST_CASE("what is no size") {
    for (const auto text :
         {"",    " ",    "m",   "-1",  "-1m",    "+1",       "1x",    "1mm",          "1bb",  "1kbb", "1 2",
          "1m ", "0x10", "inf", "nan", "nan(1)", "infinity", "1e400", "99999999999g", "1,5g", "64m64"})
      CHECK_MESSAGE(!parse_size(text), text);
  }

  TEST_CASE("nothing given: what the daemon likes") {
    const auto options = options_of({"dir"});
    REQUIRE(options);
    CHECK(options->tags.empty());
    CHECK(options->build_args.empty());
    CHECK(options->remove_intermediate);
    CHECK(options->force_remove);
    CHECK_FALSE(options->no_cache);
    CHECK(options->memory_swap == 0);
    const build_arguments arguments = parsed<build_arguments>({"dir"});
    CHECK(arguments.context.path == "dir");
    CHECK(parsed<build_arguments>({}).context.path == ".");
    // What may be given several times takes one word each time.
    for (const auto option : {"-t", "--build-arg", "--label", "--cache-from", "--add-host", "--ulimit"})
      CHECK_MESSAGE(parsed<build_arguments>({option, "value", "dir"}).context.path == "dir", option);
    CHECK(arguments.progress == "auto");
    CHECK(arguments.context.compression == "auto");
  }

  TEST_CASE("the context is compressed where a network may be on the way, unless it is asked for") {
    for (const auto host : {"", "unix:///run/docker.sock"})
      CHECK(settled_compression("auto", host) == "none");
    for (const auto host : {"tcp://build.example:2375", "build.example:2376", "ssh://me@build.example"})
      CHECK(settled_compression("auto", host) == "gzip");
    for (const auto given : {"gzip", "none"}) {
      CHECK(settled_compression(given, "unix:///run/docker.sock") == given);
      CHECK(settled_compression(given, "ssh://build.example") == given);
    }
  }

  TEST_CASE("each option arrives") {
    const auto options = options_of({"-t",
                                     "a:1",
                                     "--tag=b",
                                     "--label",
                                     "k=v=w",
                                     "--label",
                                     "bare",
                                     "--target",
                                     "t",
                                     "--platform",
                                     "linux/amd64",
                                     "--cache-from",
                                     "c:1",
                                     "--no-cache",
                                     "--pull",
                                     "--network",
                                     "host",
                                     "--add-host",
                                     "h:1.2.3.4",
                                     "--shm-size",
                                     "64m",
                                     "--ulimit",
                                     "nofile=10:20",
                                     "--ulimit",
                                     "nproc=5",
                                     "-m",
                                     "512m",
                                     "--memory-swap",
                                     "-1",
                                     "--cpu-shares",
                                     "3",
                                     "--cpu-period",
                                     "4",
                                     "--cpu-quota",
                                     "5",
                                     "--cpuset-cpus",
                                     "0-1",
                                     "--cpuset-mems",
                                     "0",
                                     "--cgroup-parent",
                                     "/g",
                                     "--squash",
                                     "--rm=false",
                                     "--force-rm=false",
                                     "dir"});
    REQUIRE(options);
    CHECK(options->tags == std::vector<std::string>{"a:1", "b"});
    CHECK(options->labels == std::map<std::string, std::string>{{"bare", ""}, {"k", "v=w"}});
    CHECK(options->target == "t");
    CHECK(options->platform == "linux/amd64");
    CHECK(options->cache_from == std::vector<std::string>{"c:1"});
    CHECK(options->no_cache);
    CHECK(options->pull);
    CHECK(options->network_mode == "host");
    CHECK(options->extra_hosts == std::vector<std::string>{"h:1.2.3.4"});
    CHECK(options->shm_size == 64 << 20);
    REQUIRE(options->ulimits.size() == 2);
    CHECK(options->ulimits[0].name == "nofile");
    CHECK(options->ulimits[0].soft == 10);
    CHECK(options->ulimits[0].hard == 20);
    CHECK(options->ulimits[1].soft == 5);
    CHECK(options->ulimits[1].hard == 5);
    CHECK(options->memory == 512 << 20);
    CHECK(options->memory_swap == -1);
    CHECK(options->cpu_shares == 3);
    CHECK(options->cpu_period == 4);
    CHECK(options->cpu_quota == 5);
    CHECK(options->cpuset_cpus == "0-1");
    CHECK(options->cpuset_mems == "0");
    CHECK(options->cgroup_parent == "/g");
    CHECK(options->squash);
    CHECK_FALSE(options->remove_intermediate);
    CHECK_FALSE(options->force_remove);
  }

  TEST_CASE("a build argument without a value has the environment's, or is not told") {
    ::setenv("DOCKLINE_TEST_SET", "from outside", 1);
    ::setenv("DOCKLINE_TEST_EMPTY", "", 1);
    ::unsetenv("DOCKLINE_TEST_UNSET");
    const auto options = options_of({"--build-arg", "DOCKLINE_TEST_SET", "--build-arg", "DOCKLINE_TEST_UNSET",
                                     "--build-arg", "DOCKLINE_TEST_EMPTY", "--build-arg", "A=", "--build-arg",
                                     "B=x=y", "--build-arg", "B=last", "dir"});
    REQUIRE(options);
    CHECK(options->build_args ==
          std::map<std::string, std::optional<std::string>>{
              {"A", ""}, {"B", "last"}, {"DOCKLINE_TEST_EMPTY", ""}, {"DOCKLINE_TEST_SET", "from outside"}});
  }

  TEST_CASE("a host may be written with '=', as docker has it since 25") {
    const auto options =
        options_of({"--add-host", "a=1.2.3.4", "--add-host", "b=[::1]", "--add-host", "c:::1", "--add-host",
                    "d=host-gateway", "--add-host", "e:[::1]", "dir"});
    REQUIRE(options);
    CHECK(options->extra_hosts ==
          std::vector<std::string>{"a:1.2.3.4", "b:::1", "c:::1", "d:host-gateway", "e:::1"});
  }

  TEST_CASE("a cache image may be written as buildx has it") {
    const auto options =
        options_of({"--cache-from", "h:5000/a:1", "--cache-from", "type=registry,ref=h:5000/b:1", "dir"});
    REQUIRE(options);
    CHECK(options->cache_from == std::vector<std::string>{"h:5000/a:1", "h:5000/b:1"});
  }

  TEST_CASE("a value that cannot be is refused") {
    const std::vector<std::vector<std::string>> lines = {
        {"--build-arg", "=x"},
        {"--build-arg", ""},
        {"--label", "=x"},
        {"--ulimit", "nofile"},
        {"--ulimit", "nofile=x"},
        {"--ulimit", "nofile=1:"},
        {"--ulimit", "nofile=1:2:3"},
        {"--shm-size", "big"},
        {"-m", "-1"},
        {"-m", "nan"},
        {"--memory-swap", "-2"},
        {"--cache-from", ""},
        {"--cache-from", "type=local,src=/x"},
        {"--cache-from", "type=registry"},
        {"--cache-from", "type=registry,ref=a,mode=max"},
    };
    for (auto words : lines) {
      const std::string shown = words[0] + " " + words[1];
      words.push_back("dir");
      CHECK_MESSAGE(!options_of(words), shown);
    }
  }

  TEST_CASE("a command line that cannot be is refused by the parser") {
    const std::vector<std::vector<std::string>> lines = {
        {"dir", "other"},
        {"--unknown", "dir"},
        {"--progress", "fancy", "dir"},
        {"--compression", "zip", "dir"},
        {"--compression-level", "0", "dir"},
        {"--compression-level", "10", "dir"},
        {"--cpu-quota", "x", "dir"},
        {"-t"},
    };
    for (const auto& words : lines) CHECK_THROWS_AS(parsed<build_arguments>(words), CLI::ParseError);
  }
}

}  // namespace dockline::tool
