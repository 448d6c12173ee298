#pragma once

#include <dockline/containerize/config.hpp>

#include "console.hpp"

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace dockline::tool {

// The command line of `containerize`. What is empty was not given.
struct containerize_arguments {
  containerize_arguments() = default;

  std::string config;
  std::optional<std::string> entry_point;
  std::optional<std::string> requirements;
  std::optional<std::string> destination_dir;
  std::optional<std::string> image;
  std::optional<std::string> parent_image;
  std::optional<std::string> cache_from;
  std::optional<std::string> image_build_bucket;
  std::optional<std::string> project;
  std::optional<std::string> region;
  std::optional<std::string> registry;
  std::optional<std::string> accelerator;
  std::optional<bool> tpu;
  std::optional<bool> from_notebook;
  std::optional<bool> no_push;

  bool dry_run = false;
  bool quiet = false;
  std::string progress = "auto";
};

void declare(CLI::App& command, containerize_arguments& arguments);

// What --config has, and over it what the command line has. Empty, after saying why, for a file that cannot
// be read or understood.
std::optional<containerize::containerize_options> containerize_options_of(
    const containerize_arguments& arguments, console& terminal);

}  // namespace dockline::tool
