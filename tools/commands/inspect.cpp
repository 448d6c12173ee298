#include <dockline/engine/container_list.hpp>
#include <dockline/engine/images.hpp>

#include "command.hpp"
#include "json_text.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct inspect_arguments {
  inspect_arguments() = default;

  std::vector<std::string> names;
  std::string type;
  std::string format = "array";
};

// What the daemon knows under a name: a container's before an image's, as docker has it.
asio::awaitable<std::tuple<error_code, std::string>> look_up(engine::client daemon, std::string name,
                                                             std::string type, diagnostics& why) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  if (type != "image") {
    auto [code, found] = co_await engine::async_container_inspect(daemon, name, why, token);
    if (type == "container" || code != condition::not_found)
      co_return std::make_tuple(code, std::move(found.raw));
  }
  auto [code, found] = co_await engine::async_image_inspect(daemon, name, why, token);
  if (code == condition::not_found && type.empty()) {
    why.clear();
    why.set_client_message("no such container or image: " + name);
  }
  co_return std::make_tuple(code, std::move(found.raw));
}

asio::awaitable<int> inspect(engine::client daemon, inspect_arguments arguments) {
  console terminal;
  std::vector<std::string> values;
  auto status = exit_status::done;
  for (const auto& name : arguments.names) {
    diagnostics why;
    auto [code, value] = co_await look_up(daemon, name, arguments.type, why);
    if (code) {
      status = report(terminal, code, why);
      if (status != exit_status::failed) co_return static_cast<int>(status);
      continue;
    }
    values.push_back(std::move(value));
  }
  if (arguments.format == "json") {
    for (const auto& value : values) terminal.out(on_one_line(value) + "\n");
  } else {
    terminal.out(indented_array(values) + "\n");
  }
  co_return status == exit_status::done ? status_of_output(terminal) : static_cast<int>(status);
}

}  // namespace

void add_inspect(command_line line) {
  CLI::App* command = line.add("inspect", "Show all that the daemon knows of images or containers");
  if (!command) return;
  auto arguments = std::make_shared<inspect_arguments>();
  add_one(*command, "NAME", arguments->names, "", "Names or ids")->required();
  add_one(*command, "--type", arguments->type, "image|container", "Look for that only")
      ->transform(CLI::IsMember({"image", "container"}).description(""));
  add_one(*command, "--format", arguments->format, "array|json",
          "One JSON array, or one object a line (array)")
      ->transform(CLI::IsMember({"array", "json"}).description(""));
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return inspect(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
