#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace dockline::tool {

// The words of the command line, apart from those that a container gets.
struct arguments {
  arguments() = default;

  std::vector<std::string> own;   // for the parser, in order
  std::vector<std::string> tail;  // of `run`: the image and all that follows
};

// Splits a command line at the first word of `run` that is neither one of its options nor an option's value:
// from there on everything is the container's, also what looks like an option of ours. CLI11 has no such
// rule.
arguments split_arguments(const CLI::App& app, std::vector<std::string> words);

}  // namespace dockline::tool
