#pragma once

#include <dockline/archive/build_context.hpp>

#include "command.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <tuple>

namespace CLI {
class App;
}

namespace dockline::tool {

// What `build` and `context` take alike: the directory, and how it becomes a context.
struct context_arguments {
  context_arguments() = default;

  std::string path = ".";
  std::string file;
  std::string compression;
  int compression_level = 1;
  bool reproducible = false;
};

// `compressions` are the values that --compression takes, the first one being what holds without it.
void declare_context(CLI::App& command, context_arguments& arguments,
                     const std::vector<std::string>& compressions);

// Finds the context, with the Dockerfile from standard input if it was asked for. Empty when that failed and
// was said; `status` is then the one to leave with.
boost::asio::awaitable<std::optional<archive::build_context>> open_context(
    boost::asio::any_io_executor executor, context_arguments arguments, archive::ignore_mode mode,
    console& terminal, int& status);

}  // namespace dockline::tool
