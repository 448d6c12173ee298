#include "commands/run_arguments.hpp"

#include "option_forms.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace dockline::tool {

std::optional<engine::port_binding> parse_port(std::string_view text) {
  std::string_view protocol = "tcp";
  if (const std::size_t slash = text.rfind('/'); slash != text.npos) {
    protocol = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const auto is_port = [](std::string_view port) {
    return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos &&
           std::atoi(std::string(port).c_str()) <= 65535;
  };
  engine::port_binding binding;
  std::string_view container = text;
  if (const std::size_t last = text.rfind(':'); last != text.npos) {
    container = text.substr(last + 1);
    std::string_view host = text.substr(0, last);
    if (const std::size_t colon = host.rfind(':'); colon != host.npos) {
      binding.host_ip = host.substr(0, colon);
      host = host.substr(colon + 1);
    }
    if (!host.empty() && !is_port(host)) return std::nullopt;
    binding.host_port = host;
  }
  if (binding.host_ip.starts_with('[')) {
    if (binding.host_ip.size() < 3 || !binding.host_ip.ends_with(']')) return std::nullopt;
    binding.host_ip = binding.host_ip.substr(1, binding.host_ip.size() - 2);
  }
  if (!is_port(container) || (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
    return std::nullopt;
  binding.container_port = std::string(container) + "/" + std::string(protocol);
  return binding;
}

void declare(CLI::App& command, run_arguments& arguments) {
  command.add_flag("--rm", arguments.remove, "Remove the container when it ends");
  command.add_flag("-d,--detach", arguments.detach, "Print the container's id and leave it running");
  command.add_flag("-i,--interactive", arguments.interactive, "Pass standard input on");
  add_one(command, "--name", arguments.name, "NAME", "Name of the container");
  add_many(command, "-e,--env", arguments.env, "NAME[=VALUE]",
           "For the container; without VALUE, that of the environment");
  add_many(command, "-v,--volume", arguments.volumes, "SOURCE:PATH[:ro]",
           "A directory of the host or a volume to mount");
  add_many(command, "-p,--publish", arguments.ports, "[[IP:]PORT:]PORT[/PROTOCOL]",
           "A port of the container to reach from the host");
  add_one(command, "--network", arguments.network, "MODE", "bridge, host, none or a network's name");
  add_platform(command, arguments.platform, "Which of the image's platforms");
  add_one(command, "-w,--workdir", arguments.workdir, "PATH", "Working directory in the container");
  add_one(command, "-u,--user", arguments.user, "USER[:GROUP]", "Who runs the command, by name or number");
  add_one(command, "--entrypoint", arguments.entrypoint, "COMMAND", "Instead of the image's")
      ->each([&arguments](const std::string&) { arguments.has_entrypoint = true; });
}

std::optional<engine::container_options> container_of(const run_arguments& arguments, console& terminal) {
  engine::container_options container;
  container.image = arguments.image_and_command.front();
  container.cmd.assign(arguments.image_and_command.begin() + 1, arguments.image_and_command.end());
  container.name = arguments.name;
  container.binds = arguments.volumes;
  container.network_mode = arguments.network;
  container.platform = arguments.platform;
  container.working_dir = arguments.workdir;
  container.user = arguments.user;
  if (arguments.has_entrypoint) {
    container.entrypoint.emplace();
    if (!arguments.entrypoint.empty()) container.entrypoint->push_back(arguments.entrypoint);
  }
  for (const auto& one : arguments.env) {
    if (one.empty() || one.front() == '=') {
      terminal.error("--env \"" + one + "\": written NAME=VALUE or NAME");
      return std::nullopt;
    }
    // NAME alone passes the caller's value on, when there is one.
    if (one.find('=') != one.npos) {
      container.env.push_back(one);
    } else if (const char* value = std::getenv(one.c_str())) {
      container.env.push_back(one + "=" + value);
    }
  }
  for (const auto& one : arguments.ports) {
    auto binding = parse_port(one);
    if (!binding) {
      terminal.error("--publish \"" + one + "\": written [[IP:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL]");
      return std::nullopt;
    }
    container.ports.push_back(std::move(*binding));
  }
  return container;
}

}  // namespace dockline::tool
