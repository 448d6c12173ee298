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

struct pull_arguments {
  pull_arguments() = default;

  std::string name;
  std::string platform;
  bool all_tags = false;
  bool quiet = false;
  std::string progress = "auto";
};

asio::awaitable<int> pull(engine::client daemon, pull_arguments arguments) {
  console terminal;
  engine::pull_options options;
  options.platform = arguments.platform;
  options.all_tags = arguments.all_tags;
  progress_display display(daemon.get_executor(), shown_as(arguments.progress, arguments.quiet), "Pulling",
                           terminal);
  diagnostics why;
  auto auth = co_await find_registry_auth(daemon.get_executor(), arguments.name, display, why);
  if (!auth) {
    display.finish(auth.error());
    co_return static_cast<int>(report(terminal, auth.error(), why));
  }
  options.auth = std::move(*auth);
  auto [code, pulled] = co_await engine::async_image_pull(
      daemon, arguments.name, std::move(options), display.sink(), why, asio::as_tuple(asio::use_awaitable));
  display.finish(code);
  if (code) co_return static_cast<int>(report(terminal, code, why));
  const std::string result =
      pulled.digest.empty() ? arguments.name : pinned_name(arguments.name, pulled.digest);
  terminal.out(progress::printable(result) + "\n");
  co_return status_of_output(terminal);
}

}  // namespace

void add_pull(command_line line) {
  CLI::App* command = line.add("pull", "Fetch an image from a registry");
  if (!command) return;
  auto arguments = std::make_shared<pull_arguments>();
  add_one(*command, "NAME", arguments->name, "", "NAME[:TAG] or NAME@DIGEST")->required();
  command->add_flag("-a,--all-tags", arguments->all_tags, "Every tag of the repository");
  add_platform(*command, arguments->platform, "Which of the image's platforms");
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  add_progress(*command, arguments->progress);
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return pull(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
