#include <dockline/engine/images.hpp>
#include <dockline/progress/printable.hpp>

#include "command.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct rmi_arguments {
  rmi_arguments() = default;

  std::vector<std::string> images;
  bool force = false;
  bool keep_parents = false;
};

asio::awaitable<int> rmi(engine::client daemon, rmi_arguments arguments) {
  console terminal;
  engine::image_remove_options options;
  options.force = arguments.force;
  options.keep_parents = arguments.keep_parents;
  auto status = exit_status::done;
  // One that cannot be removed is no reason to keep the others.
  for (const auto& name : arguments.images) {
    diagnostics why;
    auto [code, gone] =
        co_await engine::async_image_remove(daemon, name, options, why, asio::as_tuple(asio::use_awaitable));
    if (code) {
      const exit_status one = report(terminal, code, why);
      if (status == exit_status::done) status = one;
      if (one == exit_status::interrupted || one == exit_status::unreachable) co_return static_cast<int>(one);
      continue;
    }
    for (const auto& reference : gone.untagged)
      terminal.out("Untagged: " + progress::printable(reference) + "\n");
    for (const auto& id : gone.deleted) terminal.out("Deleted: " + progress::printable(id) + "\n");
  }
  co_return status == exit_status::done ? status_of_output(terminal) : static_cast<int>(status);
}

}  // namespace

void add_rmi(command_line line) {
  CLI::App* command = line.add("rmi", "Remove images, or names of images");
  if (!command) return;
  auto arguments = std::make_shared<rmi_arguments>();
  add_one(*command, "IMAGE", arguments->images, "", "Names or ids")->required();
  command->add_flag("-f,--force", arguments->force, "Also when a container that ended uses it");
  command->add_flag("--no-prune", arguments->keep_parents, "Keep parents that have no name");
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return rmi(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
