#pragma once

#include <dockline/engine/containers.hpp>

#include "command.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace dockline::tool {

// The command line of `run`, as it was given.
struct run_arguments {
  run_arguments() = default;

  std::vector<std::string> image_and_command;
  bool remove = false;
  bool detach = false;
  bool interactive = false;
  std::string name;
  std::vector<std::string> env;
  std::vector<std::string> volumes;
  std::vector<std::string> ports;
  std::string network;
  std::string platform;
  std::string workdir;
  std::string user;
  std::string entrypoint;
  bool has_entrypoint = false;  // an empty one that was given means none at all
};

void declare(CLI::App& command, run_arguments& arguments);

// The container that is asked for. Empty, after saying why, when a value cannot be what its option takes.
std::optional<engine::container_options> container_of(const run_arguments& arguments, console& terminal);

// Text of the form [[IP:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL], as docker's --publish takes it.
std::optional<engine::port_binding> parse_port(std::string_view text);

}  // namespace dockline::tool
