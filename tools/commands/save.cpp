#include <dockline/engine/image_archive.hpp>

#include "command.hpp"
#include "option_forms.hpp"
#include "result_file.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct save_arguments {
  save_arguments() = default;

  std::vector<std::string> images;
  std::string output = "-";
  std::string platform;
};

asio::awaitable<int> save(engine::client daemon, save_arguments arguments) {
  console terminal;
  result_file to(arguments.output, terminal);
  if (to.is_terminal()) {
    terminal.error("a terminal cannot show a tar; redirect it, or name a file with --output");
    co_return static_cast<int>(exit_status::usage);
  }
  engine::image_save_options options;
  options.platform = arguments.platform;
  diagnostics why;
  auto [code, tar] = co_await engine::async_image_save(daemon, arguments.images, std::move(options), why,
                                                       asio::as_tuple(asio::use_awaitable));
  if (code) co_return static_cast<int>(report(terminal, code, why));
  const int status = co_await write_all(tar, to, terminal);
  co_return status;
}

}  // namespace

void add_save(command_line line) {
  CLI::App* command = line.add("save", "Write images, with all their layers, to a tar");
  if (!command) return;
  auto arguments = std::make_shared<save_arguments>();
  add_one(*command, "IMAGE", arguments->images, "", "Names or ids")->required();
  add_one(*command, "-o,--output", arguments->output, "FILE", "Where to write it; - is standard output (-)");
  add_one(*command, "--platform", arguments->platform, "OS/ARCH", "Which of an image's platforms");
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return save(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
