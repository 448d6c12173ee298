#include <dockline/engine/system.hpp>
#include <dockline/progress/printable.hpp>

#include "command.hpp"
#include "human.hpp"
#include "json_text.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

std::string row(std::string_view name, std::string_view value) {
  return value.empty() ? std::string()
                       : fmt::format("{:<20} {}\n", std::string(name) + ":", progress::printable(value));
}

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& one : texts) text += (text.empty() ? "" : ", ") + one;
  return text;
}

std::string info_text(const engine::system_info& found) {
  std::string text = row("Name", found.name) + row("Server version", found.server_version);
  text += row("Containers",
              fmt::format("{} ({} running, {} paused, {} stopped)", found.containers,
                          found.containers_running, found.containers_paused, found.containers_stopped));
  text += row("Images", fmt::format("{}", found.images)) + row("Storage driver", found.storage_driver);
  text += row("Logging driver", found.logging_driver);
  text += row("Cgroups", found.cgroup_version.empty()
                             ? found.cgroup_driver
                             : fmt::format("{}, version {}", found.cgroup_driver, found.cgroup_version));
  text += row("Runtimes", joined(found.runtimes)) + row("Default runtime", found.default_runtime);
  text += row("Security", joined(found.security_options)) + row("Kernel", found.kernel_version);
  text += row("Operating system", found.operating_system);
  text += row("OS/Arch", found.os_type + "/" + found.architecture);
  text += row("CPUs", fmt::format("{}", found.cpus)) + row("Memory", human_size(found.memory));
  text +=
      row("Root directory", found.root_dir) + row("Insecure registries", joined(found.insecure_registries));
  text += row("Registry mirrors", joined(found.registry_mirrors)) + row("ID", found.id);
  return text;
}

asio::awaitable<int> info(engine::client daemon, std::string format) {
  console terminal;
  diagnostics why;
  auto [code, found] = co_await engine::async_info(daemon, why, asio::as_tuple(asio::use_awaitable));
  if (code) co_return static_cast<int>(report(terminal, code, why));
  if (format == "json") {
    terminal.out(on_one_line(found.raw) + "\n");
  } else {
    terminal.out(info_text(found));
    for (const auto& text : found.warnings) {
      // dockerd begins them with a "WARNING: " of its own.
      terminal.warn(text.starts_with("WARNING: ") ? std::string_view(text).substr(9)
                                                  : std::string_view(text));
    }
  }
  co_return status_of_output(terminal);
}

}  // namespace

void add_info(command_line line) {
  CLI::App* command = line.add("info", "Show what the daemon is and how it is set up");
  if (!command) return;
  auto format = std::make_shared<std::string>("table");
  add_one(*command, "--format", *format, "table|json", "json is the daemon's answer on one line (table)")
      ->transform(CLI::IsMember({"table", "json"}).description(""));
  command->callback([line, format] {
    line.chosen = on_daemon(line.global, [format](engine::client daemon) { return info(daemon, *format); });
  });
}

}  // namespace dockline::tool
