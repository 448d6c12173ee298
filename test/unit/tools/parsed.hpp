#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace dockline::tool {

// What the options of a command make of the words.
template <class Arguments>
Arguments parsed(const std::vector<std::string>& words) {
  CLI::App app;
  Arguments arguments;
  declare(app, arguments);
  app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  return arguments;
}

}  // namespace dockline::tool
