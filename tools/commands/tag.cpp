#include <dockline/engine/images.hpp>

#include "command.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct tag_arguments {
  tag_arguments() = default;

  std::string source;
  std::string target;
};

asio::awaitable<int> tag(engine::client daemon, tag_arguments arguments) {
  console terminal;
  diagnostics why;
  auto [code] = co_await engine::async_image_tag(daemon, arguments.source, arguments.target, why,
                                                 asio::as_tuple(asio::use_awaitable));
  if (code) co_return static_cast<int>(report(terminal, code, why));
  co_return static_cast<int>(exit_status::done);
}

}  // namespace

void add_tag(command_line line) {
  CLI::App* command = line.add("tag", "Give an image a further name");
  if (!command) return;
  auto arguments = std::make_shared<tag_arguments>();
  add_one(*command, "SOURCE", arguments->source, "", "The image, by name or id")->required();
  add_one(*command, "TARGET", arguments->target, "", "The new name: NAME[:TAG]")->required();
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return tag(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
