#include "commands/build_arguments.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace dockline::tool {
namespace {

// NAME=VALUE, or NAME alone.
std::pair<std::string, std::optional<std::string>> split_pair(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign == text.npos) return {text, std::nullopt};
  return {text.substr(0, sign), text.substr(sign + 1)};
}

// NAME:ADDRESS for the daemon; docker also takes NAME=ADDRESS, and brackets around an address of IPv6.
std::string host_of(std::string text) {
  const std::size_t sign = text.find_first_of("=:");
  if (sign == text.npos) return text;
  text[sign] = ':';
  if (text.ends_with(']') && text.compare(sign + 1, 1, "[") == 0) {
    text.pop_back();
    text.erase(sign + 1, 1);
  }
  return text;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// NAME=SOFT[:HARD]
std::optional<engine::ulimit> parse_ulimit(const std::string& text) {
  const auto [name, limits] = split_pair(text);
  if (!limits) return std::nullopt;
  const std::size_t colon = limits->find(':');
  const auto soft = parse_number(std::string_view(*limits).substr(0, colon));
  const auto hard = colon == limits->npos ? soft : parse_number(std::string_view(*limits).substr(colon + 1));
  if (!soft || !hard) return std::nullopt;
  return engine::ulimit(name, *soft, *hard);
}

}  // namespace

std::optional<std::int64_t> parse_size(std::string_view text) {
  // from_chars would also take "-1", "inf" and "nan".
  if (text.empty() || !((text.front() >= '0' && text.front() <= '9') || text.front() == '.'))
    return std::nullopt;
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc()) return std::nullopt;
  std::string unit(end, text.data() + text.size());
  if (!unit.empty() && unit.front() == ' ') unit.erase(0, 1);
  for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  // "m", "mb" and "mib" are the same here: docker's sizes of memory are powers of 1024.
  static constexpr std::string_view prefixes = "kmgtp";
  double factor = 1;
  std::string_view rest = unit;
  if (!rest.empty()) {
    if (const std::size_t power = prefixes.find(rest.front()); power != prefixes.npos) {
      factor = std::pow(1024.0, static_cast<double>(power + 1));
      rest.remove_prefix(1);
      if (rest == "ib") rest = {};
    }
    if (rest == "b") rest = {};
  }
  const double bytes = number * factor;
  if (!rest.empty() || bytes > 9e18) return std::nullopt;
  return static_cast<std::int64_t>(bytes);
}

void declare(CLI::App& command, build_arguments& arguments) {
  const auto each = [](CLI::Option* option) { return option->take_all()->expected(1); };
  command
      .add_option("PATH", arguments.path, "The directory to build from, or a Git or HTTP URL for the daemon")
      ->required();
  command.add_option("-f,--file", arguments.file,
                     "The Dockerfile, from anywhere; - is standard input (PATH/Dockerfile)");
  each(command.add_option("-t,--tag", arguments.tags, "NAME[:TAG] that the image gets"));
  each(command.add_option("--build-arg", arguments.build_args,
                          "NAME=VALUE, or NAME of a variable that is set"));
  each(command.add_option("--label", arguments.labels, "NAME=VALUE in the image's metadata"));
  command.add_option("--target", arguments.target, "The stage to stop at");
  command.add_option("--platform", arguments.platform, "linux/amd64 and the like");
  each(command.add_option("--cache-from", arguments.cache_from, "An image whose layers may serve as cache"));
  command.add_flag("--no-cache", arguments.no_cache, "Run every step anew");
  command.add_flag("--pull", arguments.pull, "Look for newer base images");
  command.add_option("--network", arguments.network, "For RUN: host, none, bridge or a network's name");
  each(command.add_option("--add-host", arguments.add_hosts, "NAME:ADDRESS for /etc/hosts of RUN"));
  command.add_option("--shm-size", arguments.shm_size, "Size of /dev/shm for RUN: 64m");
  each(command.add_option("--ulimit", arguments.ulimits, "NAME=SOFT[:HARD] for RUN"));
  command.add_option("-m,--memory", arguments.memory, "Memory limit of RUN: 512m");
  command.add_option("--memory-swap", arguments.memory_swap, "Limit of memory and swap together; -1 is none");
  command.add_option("-c,--cpu-shares", arguments.cpu_shares, "Relative weight of RUN");
  command.add_option("--cpu-period", arguments.cpu_period, "Period of the CPU quota in microseconds");
  command.add_option("--cpu-quota", arguments.cpu_quota, "Microseconds of CPU time in each period");
  command.add_option("--cpuset-cpus", arguments.cpuset_cpus, "CPUs for RUN: 0-2,5");
  command.add_option("--cpuset-mems", arguments.cpuset_mems, "Memory nodes for RUN");
  command.add_option("--cgroup-parent", arguments.cgroup_parent, "The cgroup above those of RUN");
  command.add_flag("--keep-intermediate", arguments.keep_intermediate, "Keep the containers of the steps");
  command.add_flag("--squash", arguments.squash, "One layer of all that is new; experimental daemons only");
  command.add_option("--iidfile", arguments.iidfile, "Write the image's id to this file");
  command.add_flag("-q,--quiet", arguments.quiet, "Print nothing but the image's id");
  command.add_option("--progress", arguments.progress, "auto, plain or json, on standard error")
      ->check(CLI::IsMember({"auto", "plain", "json"}));
  command.add_option("--builder", arguments.builder, "auto or classic")
      ->check(CLI::IsMember({"auto", "classic", "buildkit"}));
  command.add_option("--compression", arguments.compression, "Of the context: auto, gzip or none")
      ->check(CLI::IsMember({"auto", "gzip", "none"}));
  command.add_option("--compression-level", arguments.compression_level, "1 (fast) to 9 (small)")
      ->check(CLI::Range(1, 9));
  command.add_flag(
      "--reproducible", arguments.reproducible,
      "Equal content makes an equal context: times are SOURCE_DATE_EPOCH or 0, modes are normalised");
}

std::optional<engine::build_options> engine_options_of(const build_arguments& arguments, console& terminal) {
  const auto refuse = [&](std::string_view option, const std::string& value, std::string_view form) {
    terminal.error(std::string(option) + " \"" + value + "\": " + std::string(form));
    return std::nullopt;
  };
  engine::build_options options;
  options.tags = arguments.tags;
  for (const auto& one : arguments.build_args) {
    auto [name, value] = split_pair(one);
    if (name.empty()) return refuse("--build-arg", one, "written NAME=VALUE or NAME");
    // Without a value the caller's environment has it. If not, the Dockerfile's default counts: the daemon is
    // not told, as podman takes the null that docker sends for an empty value.
    if (!value) {
      const char* set = std::getenv(name.c_str());
      if (set == nullptr) continue;
      value = set;
    }
    options.build_args.insert_or_assign(name, std::move(value));
  }
  for (const auto& one : arguments.labels) {
    auto [name, value] = split_pair(one);
    if (name.empty()) return refuse("--label", one, "written NAME=VALUE");
    options.labels.insert_or_assign(name, value.value_or(""));
  }
  for (const auto& one : arguments.ulimits) {
    auto limit = parse_ulimit(one);
    if (!limit) return refuse("--ulimit", one, "written NAME=SOFT[:HARD], numbers");
    options.ulimits.push_back(std::move(*limit));
  }
  const auto size = [&](std::string_view option, const std::string& text, std::int64_t& bytes) {
    if (text.empty()) return true;
    const auto parsed = parse_size(text);
    if (!parsed) {
      refuse(option, text, "a number of bytes, or one with k, m or g behind it");
      return false;
    }
    bytes = *parsed;
    return true;
  };
  if (!size("--shm-size", arguments.shm_size, options.shm_size)) return std::nullopt;
  if (!size("--memory", arguments.memory, options.memory)) return std::nullopt;
  if (arguments.memory_swap == "-1") {
    options.memory_swap = -1;
  } else if (!size("--memory-swap", arguments.memory_swap, options.memory_swap)) {
    return std::nullopt;
  }
  options.target = arguments.target;
  options.platform = arguments.platform;
  options.cache_from = arguments.cache_from;
  options.no_cache = arguments.no_cache;
  options.pull = arguments.pull;
  options.network_mode = arguments.network;
  for (const auto& one : arguments.add_hosts) options.extra_hosts.push_back(host_of(one));
  options.cpu_shares = arguments.cpu_shares;
  options.cpu_period = arguments.cpu_period;
  options.cpu_quota = arguments.cpu_quota;
  options.cpuset_cpus = arguments.cpuset_cpus;
  options.cpuset_mems = arguments.cpuset_mems;
  options.cgroup_parent = arguments.cgroup_parent;
  options.remove_intermediate = !arguments.keep_intermediate;
  options.force_remove = !arguments.keep_intermediate;
  options.squash = arguments.squash;
  return options;
}

}  // namespace dockline::tool
