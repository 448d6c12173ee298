#pragma once

#include <dockline/engine/build.hpp>

#include "command.hpp"
#include "commands/cloud_arguments.hpp"
#include "commands/context_arguments.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace dockline::tool {

// The command line of `build`, as it was given.
struct build_arguments {
  build_arguments() = default;

  context_arguments context;
  std::vector<std::string> tags;
  std::vector<std::string> build_args;
  std::vector<std::string> labels;
  std::string target;
  std::string platform;
  std::vector<std::string> cache_from;
  bool no_cache = false;
  bool pull = false;
  std::string network;
  std::vector<std::string> add_hosts;
  std::string shm_size;
  std::vector<std::string> ulimits;
  std::string memory;
  std::string memory_swap;
  std::int64_t cpu_shares = 0;
  std::int64_t cpu_period = 0;
  std::int64_t cpu_quota = 0;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::string cgroup_parent;
  bool remove = true;
  bool force_remove = true;
  bool squash = false;

  std::string iidfile;
  std::string metadata_file;
  bool push = false;
  bool load = false;
  bool quiet = false;
  std::string progress = "auto";
  std::string builder = "auto";

  cloud_arguments cloud;

  // For BuildKit.
  std::string output;
  std::vector<std::string> cache_to;
  std::vector<std::string> secrets;
  std::vector<std::string> ssh;
};

void declare(CLI::App& command, build_arguments& arguments);

// What the library is asked for. Empty, after saying why, when a value cannot be what its option takes.
std::optional<engine::build_options> engine_options_of(const build_arguments& arguments, console& terminal);

// What --compression `given` means for the daemon at `host`: "auto" is no compression through a Unix socket,
// where a copy is cheaper than a deflate, and gzip on every way that may be a network.
std::string settled_compression(const std::string& given, const std::string& host);

// "64m" and the like in bytes, as docker reads sizes; empty for anything else.
std::optional<std::int64_t> parse_size(std::string_view text);

}  // namespace dockline::tool
