#include <dockline/engine/image_transfer.hpp>
#include <dockline/progress/printable.hpp>

#include "command.hpp"
#include "commands/pinned_name.hpp"
#include "credentials.hpp"
#include "option_forms.hpp"
#include "progress_display.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct push_arguments {
  push_arguments() = default;

  std::string name;
  std::string platform;
  bool all_tags = false;
  bool quiet = false;
  std::string progress = "auto";
};

asio::awaitable<int> push(engine::client daemon, push_arguments arguments) {
  console terminal;
  engine::push_options options;
  options.platform = arguments.platform;
  options.all_tags = arguments.all_tags;
  progress_display display(daemon.get_executor(), shown_as(arguments.progress, arguments.quiet), "Pushing",
                           terminal);
  diagnostics why;
  auto auth = co_await find_registry_auth(daemon.get_executor(), arguments.name, display, why);
  if (!auth) {
    display.finish(auth.error());
    co_return static_cast<int>(report(terminal, auth.error(), why));
  }
  options.auth = std::move(*auth);
  auto [code, pushed] = co_await engine::async_image_push(
      daemon, arguments.name, std::move(options), display.sink(), why, asio::as_tuple(asio::use_awaitable));
  display.finish(code);
  if (code) co_return static_cast<int>(report(terminal, code, why));
  for (const auto& tag : pushed.tags)
    terminal.out(progress::printable(pinned_name(arguments.name, tag.digest)) + "\n");
  co_return status_of_output(terminal);
}

}  // namespace

void add_push(command_line line) {
  CLI::App* command = line.add("push", "Send an image to its registry");
  if (!command) return;
  auto arguments = std::make_shared<push_arguments>();
  add_one(*command, "NAME", arguments->name, "", "NAME[:TAG]; its first part is the registry")->required();
  command->add_flag("-a,--all-tags", arguments->all_tags, "Every tag that the repository has here");
  add_one(*command, "--platform", arguments->platform, "OS/ARCH", "Only that one of the image's platforms");
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  add_progress(*command, arguments->progress);
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return push(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
