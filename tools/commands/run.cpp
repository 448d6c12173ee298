#include <dockline/engine/run.hpp>

#include "command.hpp"
#include "source_of_stdin.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

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
  std::string workdir;
  std::string user;
  std::string entrypoint;
  bool has_entrypoint = false;
};

// Text of the form [[IP:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL], as docker's --publish takes it.
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
  if (binding.host_ip.size() > 2 && binding.host_ip.front() == '[') {
    binding.host_ip = binding.host_ip.substr(1, binding.host_ip.size() - 2);
  }
  if (!is_port(container) || (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
    return std::nullopt;
  binding.container_port = std::string(container) + "/" + std::string(protocol);
  return binding;
}

// docker's own statuses for a container that could not be started, which the daemon tells only in words.
int status_of_start(error_code code, const diagnostics& why) {
  if (code == condition::cancelled) return static_cast<int>(exit_status::interrupted);
  const std::string& words = why.server_message();
  const auto says = [&](std::string_view part) { return words.find(part) != words.npos; };
  if (says("executable file not found") || says("no such file or directory") || says("not found in $PATH"))
    return 127;
  if (says("permission denied") || says("is a directory")) return 126;
  return static_cast<int>(exit_status::not_run);
}

std::optional<engine::container_options> container_of(const run_arguments& arguments, console& terminal) {
  engine::container_options container;
  container.image = arguments.image_and_command.front();
  container.cmd.assign(arguments.image_and_command.begin() + 1, arguments.image_and_command.end());
  container.name = arguments.name;
  container.binds = arguments.volumes;
  container.network_mode = arguments.network;
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

asio::awaitable<int> start_detached(engine::client daemon, engine::container_options container, bool remove) {
  console terminal;
  diagnostics why;
  container.auto_remove = remove;
  const auto token = asio::as_tuple(asio::use_awaitable);
  auto [code, made] = co_await engine::async_container_create(daemon, std::move(container), why, token);
  if (code) {
    const bool interrupted = report(terminal, code, why) == exit_status::interrupted;
    co_return static_cast<int>(interrupted ? exit_status::interrupted : exit_status::not_run);
  }
  for (const auto& text : made.warnings) terminal.warn(text);
  auto [not_started] = co_await engine::async_container_start(daemon, made.id, why, token);
  if (not_started) {
    report(terminal, not_started, why);
    co_return status_of_start(not_started, why);
  }
  terminal.out(made.id + "\n");
  co_return static_cast<int>(exit_status::done);
}

asio::awaitable<int> run(asio::any_io_executor executor, global_options global, run_arguments arguments) {
  console terminal;
  auto container = container_of(arguments, terminal);
  if (!container) co_return static_cast<int>(exit_status::usage);
  const engine::client daemon(executor, client_options_of(global));
  if (arguments.detach) co_return co_await start_detached(daemon, std::move(*container), arguments.remove);

  engine::run_options options;
  options.container = std::move(*container);
  options.remove = arguments.remove;
  if (arguments.interactive) options.input = make_source_of_stdin(executor);
  diagnostics why;
  engine::output_sink sink = [&terminal](progress::output_stream stream, std::string_view bytes) {
    stream == progress::output_stream::err ? terminal.err(bytes) : terminal.out(bytes);
  };
  auto [code, done] = co_await engine::async_run(daemon, std::move(options), std::move(sink), why,
                                                 asio::as_tuple(asio::use_awaitable));
  if (code) {
    report(terminal, code, why);
    co_return status_of_start(code, why);
  }
  for (const auto& text : done.warnings) terminal.warn(text);
  co_return terminal.intact() ? done.status : static_cast<int>(exit_status::not_run);
}

}  // namespace

void add_run(command_line line) {
  CLI::App* command = line.app.add_subcommand("run", "Run IMAGE [COMMAND] [ARG...] and show what it prints");
  auto arguments = std::make_shared<run_arguments>();
  command->add_flag("--rm", arguments->remove, "Remove the container when it ends");
  command->add_flag("-d,--detach", arguments->detach, "Print the container's id and leave it running");
  command->add_flag("-i,--interactive", arguments->interactive, "Pass standard input on");
  command->add_option("--name", arguments->name, "Name of the container");
  command->add_option("-e,--env", arguments->env, "NAME=VALUE, or NAME of a variable that is set")
      ->take_all()
      ->expected(1);
  command->add_option("-v,--volume", arguments->volumes, "/HOST:/PATH[:ro] or VOLUME:/PATH")
      ->take_all()
      ->expected(1);
  command->add_option("-p,--publish", arguments->ports, "[[IP:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL]")
      ->take_all()
      ->expected(1);
  command->add_option("--network", arguments->network, "bridge, host, none or a network's name");
  command->add_option("-w,--workdir", arguments->workdir, "Working directory in the container");
  command->add_option("-u,--user", arguments->user, "NAME|UID[:GROUP|GID]");
  CLI::Option* entrypoint =
      command->add_option("--entrypoint", arguments->entrypoint, "Instead of the image's");
  command->callback([line, arguments, entrypoint] {
    arguments->has_entrypoint = entrypoint->count() > 0;
    arguments->image_and_command = line.tail;
    if (line.tail.empty()) throw CLI::RequiredError("IMAGE");
    line.chosen = [line, arguments] {
      asio::io_context io(1);
      return run_until_done(
          io, [&io, line, arguments] { return run(io.get_executor(), line.global, *arguments); });
    };
  });
}

}  // namespace dockline::tool
