#pragma once

// How the commands declare options that take a value: one form for those that are given once, one for those
// that may be repeated.

#include <CLI/CLI.hpp>

#include <string>

namespace dockline::tool {

// An option (or, without dashes, an operand) with one value, which the help calls `kind`.
template <class Value>
CLI::Option* add_one(CLI::App& command, const std::string& names, Value& value, const std::string& kind,
                     const std::string& help) {
  return command.add_option(names, value, help)->type_name(kind);
}

// The platform of an image, from docker's own variable where it is not given. An empty one is none.
inline void add_platform(CLI::App& command, std::string& platform, const std::string& help) {
  add_one(command, "--platform", platform, "OS/ARCH", help)->envname("DOCKER_DEFAULT_PLATFORM");
}

// One value each time: otherwise CLI11 takes the words behind the first for more of them, the operand too.
template <class Values>
CLI::Option* add_many(CLI::App& command, const std::string& names, Values& values, const std::string& kind,
                      const std::string& help) {
  return command.add_option(names, values, help)
      ->type_name(kind)
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
}

}  // namespace dockline::tool
