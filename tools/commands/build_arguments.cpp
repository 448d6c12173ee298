#include "commands/build_arguments.hpp"

#include <dockline/http/address.hpp>

#include "option_forms.hpp"
#include "progress_display.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
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

// The image of --cache-from, which buildx also writes type=registry,ref=IMAGE. Empty for what is in no registry:
// the daemon would take its parts for images, and fail to find them.
std::string cache_image_of(std::string_view text) {
  if (text.find('=') == text.npos) return std::string(text);
  std::string image;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view field = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    if (field.starts_with("ref=")) {
      image = field.substr(4);
    } else if (field != "type=registry") {
      return {};
    }
  }
  return image;
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
  add_one(command, "PATH", arguments.context.path, "",
          "The directory to build from (.), - for standard input, or a Git or HTTP URL for the daemon");
  declare_context(command, arguments.context, {"auto", "gzip", "none"});
  add_many(command, "-t,--tag", arguments.tags, "NAME[:TAG]", "A name for the image");
  add_many(command, "--build-arg", arguments.build_args, "NAME[=VALUE]",
           "For ARG; without VALUE, that of the environment");
  add_many(command, "--label", arguments.labels, "NAME=VALUE", "In the image's metadata");
  add_one(command, "--target", arguments.target, "STAGE", "The stage to stop at");
  add_platform(command, arguments.platform, "The platform to build for");
  add_many(command, "--cache-from", arguments.cache_from, "IMAGE",
           "An image whose layers may serve as cache, also written type=registry,ref=IMAGE");
  command.add_flag("--no-cache", arguments.no_cache, "Run every step anew");
  command.add_flag("--pull", arguments.pull, "Look for newer base images");
  add_one(command, "--network", arguments.network, "MODE", "For RUN: host, none, bridge or a network's name");
  add_many(command, "--add-host", arguments.add_hosts, "NAME:ADDRESS",
           "In /etc/hosts of RUN; host-gateway is an address, too");
  add_one(command, "--shm-size", arguments.shm_size, "BYTES", "Size of /dev/shm for RUN: 64m");
  add_many(command, "--ulimit", arguments.ulimits, "NAME=SOFT[:HARD]", "Limit of the processes of RUN");
  add_one(command, "-m,--memory", arguments.memory, "BYTES", "Memory limit of RUN: 512m");
  add_one(command, "--memory-swap", arguments.memory_swap, "BYTES",
          "Limit of memory and swap together; -1 is none");
  add_one(command, "--cpu-shares", arguments.cpu_shares, "N", "Relative weight of RUN");
  add_one(command, "--cpu-period", arguments.cpu_period, "MICROSECONDS", "Period of the CPU quota");
  add_one(command, "--cpu-quota", arguments.cpu_quota, "MICROSECONDS", "CPU time in each period");
  add_one(command, "--cpuset-cpus", arguments.cpuset_cpus, "LIST", "CPUs for RUN: 0-2,5");
  add_one(command, "--cpuset-mems", arguments.cpuset_mems, "LIST", "Memory nodes for RUN");
  add_one(command, "--cgroup-parent", arguments.cgroup_parent, "CGROUP", "The cgroup above those of RUN");
  command.add_flag("--rm", arguments.remove,
                   "Remove the containers of the steps; --rm=false keeps them (true)");
  command.add_flag("--force-rm", arguments.force_remove, "Those of failed steps, too (true)");
  command.add_flag("--squash", arguments.squash, "One layer of all that is new; experimental daemons only");
  add_one(command, "--iidfile", arguments.iidfile, "FILE", "Write the image's id to FILE");
  add_one(command, "--metadata-file", arguments.metadata_file, "FILE",
          "Write the image's id, digest and names to FILE, as JSON");
  command.add_flag("--push", arguments.push, "Push the image, under each of its names, when it is built");
  command.add_flag("--load", arguments.load,
                   "Keep the image on the daemon, which is done without --output, too");
  command.add_flag("-q,--quiet", arguments.quiet, "Print nothing but the image's id");
  add_progress(command, arguments.progress);
  add_many(command, "--secret", arguments.secrets, "id=ID[,src=FILE|,env=NAME]",
           "What RUN --mount=type=secret sees, and the image does not (BuildKit)");
  add_many(command, "--ssh", arguments.ssh, "default|ID[=SOCKET]",
           "An SSH agent for RUN --mount=type=ssh (BuildKit)");
  add_one(command, "-o,--output", arguments.output, "DIR|type=TYPE,dest=PATH",
          "Where the result goes in the place of the daemon's images (BuildKit)");
  add_many(command, "--cache-to", arguments.cache_to, "type=inline",
           "Write into the image what later builds need to take it as cache (BuildKit)");
  add_one(command, "--builder", arguments.builder, "auto|buildkit|classic",
          "The daemon's builder to use (auto)")
      ->transform(CLI::IsMember({"auto", "classic", "buildkit"}).description(""));
  declare_cloud(command, arguments.cloud);
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
  for (const auto& one : arguments.cache_from) {
    options.cache_from.push_back(cache_image_of(one));
    if (options.cache_from.back().empty())
      return refuse("--cache-from", one, "written IMAGE or type=registry,ref=IMAGE");
  }
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
  options.remove_intermediate = arguments.remove;
  options.force_remove = arguments.force_remove;
  options.squash = arguments.squash;
  return options;
}

std::string settled_compression(const std::string& given, const std::string& host) {
  if (given != "auto") return given;
  diagnostics ignored;
  const auto where = http::parse_address(host, ignored);
  return where && where->over != http::transport::unix_socket ? "gzip" : "none";
}

}  // namespace dockline::tool
