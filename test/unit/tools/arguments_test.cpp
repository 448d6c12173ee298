#include "arguments.hpp"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace dockline::tool {
namespace {

using words = std::vector<std::string>;

// A command line with every kind of option that there is.
struct example {
  example() {
    app.add_option("-H,--host", host);
    app.add_flag("--debug", flag);
    CLI::App* build = app.add_subcommand("build");
    build->add_option("-t,--tag", values);
    CLI::App* run = app.add_subcommand("run");
    run->add_flag("--rm", flag);
    run->add_flag("-i,--interactive", flag);
    run->add_flag("-d,--detach", flag);
    run->add_option("-e,--env", values);
    run->add_option("--name", name);
  }

  std::string host, name;
  words values;
  bool flag = false;
  CLI::App app;
};

}  // namespace

TEST_SUITE("tools/arguments") {
  TEST_CASE("run: from the image on, every word is the container's") {
    struct row {
      words given, own, tail;
    };
    const row rows[] = {
        {{"run", "app"}, {"run"}, {"app"}},
        {{"run", "app", "--rm", "-e", "x"}, {"run"}, {"app", "--rm", "-e", "x"}},
        {{"run", "--rm", "-i", "app", "--name", "-H"}, {"run", "--rm", "-i"}, {"app", "--name", "-H"}},
        {{"run", "-e", "A=1", "--env", "B", "--env=C=run", "app"},
         {"run", "-e", "A=1", "--env", "B", "--env=C=run"},
         {"app"}},
        {{"run", "-eA=1", "-id", "-ie", "B=2", "app", "x"},
         {"run", "-eA=1", "-id", "-ie", "B=2"},
         {"app", "x"}},
        {{"run", "--name", "app", "image"}, {"run", "--name", "app"}, {"image"}},
        {{"-H", "unix:///x", "run", "app"}, {"-H", "unix:///x", "run"}, {"app"}},
        {{"-H", "run", "run", "run", "run"}, {"-H", "run", "run"}, {"run", "run"}},
        {{"run", "--host", "unix:///x", "app"}, {"run", "--host", "unix:///x"}, {"app"}},
        {{"--debug", "run", "-Hunix:///x", "app"}, {"--debug", "run", "-Hunix:///x"}, {"app"}},
        {{"run", "--", "app", "--", "x"}, {"run"}, {"app", "--", "x"}},
        {{"run", "--rm", "--", "-odd-"}, {"run", "--rm"}, {"-odd-"}},
        {{"run", "app", ""}, {"run"}, {"app", ""}},
        {{"run", "-e", "", "app"}, {"run", "-e", ""}, {"app"}},
        {{"run"}, {"run"}, {}},
        {{"run", "--"}, {"run"}, {}},
        {{"run", "-e"}, {"run", "-e"}, {}},
        {{"run", "--unknown", "app"}, {"run", "--unknown"}, {"app"}},
        {{"run", "-"}, {"run"}, {"-"}},
    };
    for (const auto& one : rows) {
      const example line;
      std::string shown;
      for (const auto& word : one.given) shown += " '" + word + "'";
      const arguments split = split_arguments(line.app, one.given);
      CHECK_MESSAGE(split.own == one.own, shown);
      CHECK_MESSAGE(split.tail == one.tail, shown);
    }
  }

  TEST_CASE("the words of every other command stay together") {
    for (const words& given :
         {words{"build", "run", "-t", "run"}, words{"build", "--", "dir"}, words{}, words{"--help"},
          words{"-H", "run"}, words{"build", "-t", "a", "dir", "--debug"}}) {
      const example line;
      const arguments split = split_arguments(line.app, given);
      CHECK(split.own == given);
      CHECK(split.tail.empty());
    }
  }
}

}  // namespace dockline::tool
