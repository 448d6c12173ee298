#include <dockline/engine/image_archive.hpp>
#include <dockline/progress/printable.hpp>

#include "command.hpp"
#include "option_forms.hpp"
#include "progress_display.hpp"
#include "source_of_stdin.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct load_arguments {
  load_arguments() = default;

  std::string input;
  std::string platform;
  bool quiet = false;
  std::string progress = "auto";
};

asio::awaitable<int> load(engine::client daemon, load_arguments arguments) {
  console terminal;
  std::shared_ptr<byte_source> tar;
  if (!arguments.input.empty() && arguments.input != "-") {
    tar = make_source_of_file(daemon.get_executor(), arguments.input);
    if (!tar) {
      terminal.error("--input \"" + arguments.input + "\": " + std::generic_category().message(errno));
      co_return static_cast<int>(exit_status::usage);
    }
  } else if (::isatty(STDIN_FILENO) == 1) {
    terminal.error("standard input is a terminal; redirect a tar to it, or name a file with --input");
    co_return static_cast<int>(exit_status::usage);
  } else {
    tar = make_source_of_stdin(daemon.get_executor());
  }
  engine::image_load_options options;
  options.platform = arguments.platform;
  options.quiet = arguments.quiet;
  progress_display display(daemon.get_executor(), shown_as(arguments.progress, arguments.quiet), "Loading",
                           terminal);
  diagnostics why;
  auto [code, loaded] = co_await engine::async_image_load(daemon, tar, std::move(options), display.sink(),
                                                          why, asio::as_tuple(asio::use_awaitable));
  display.finish(code);
  if (code) co_return static_cast<int>(report(terminal, code, why));
  for (const auto& reference : loaded.references)
    terminal.out("Loaded image: " + progress::printable(reference) + "\n");
  for (const auto& id : loaded.ids) terminal.out("Loaded image ID: " + progress::printable(id) + "\n");
  co_return status_of_output(terminal);
}

}  // namespace

void add_load(command_line line) {
  CLI::App* command = line.add("load", "Load images from a tar that save wrote");
  if (!command) return;
  auto arguments = std::make_shared<load_arguments>();
  add_one(*command, "-i,--input", arguments->input, "FILE", "The tar; - is standard input (-)");
  add_one(*command, "--platform", arguments->platform, "OS/ARCH", "Which of an image's platforms");
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  add_progress(*command, arguments->progress);
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return load(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
