#include <dockline/engine/image_list.hpp>

#include "command.hpp"
#include "commands/image_rows.hpp"
#include "filter_options.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct images_arguments {
  images_arguments() = default;

  std::string repository;
  std::vector<std::string> filters;
  image_view view;
  bool all = false;
  std::string format = "table";
};

asio::awaitable<int> images(engine::client daemon, images_arguments arguments) {
  console terminal;
  auto filters = filters_of(arguments.filters, terminal);
  if (!filters) co_return static_cast<int>(exit_status::usage);
  engine::image_list_options options;
  options.all = arguments.all;
  options.filters = std::move(*filters);
  if (!arguments.repository.empty()) options.filters["reference"].push_back(arguments.repository);
  diagnostics why;
  auto [code, found] =
      co_await engine::async_image_list(daemon, std::move(options), why, asio::as_tuple(asio::use_awaitable));
  if (code) co_return static_cast<int>(report(terminal, code, why));
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  auto rows = image_rows(found, arguments.view);
  if (!arguments.repository.empty()) keep_named(rows, arguments.repository);
  if (arguments.view.ids_only) {
    terminal.out(image_ids(rows, arguments.view));
  } else if (arguments.format == "json") {
    terminal.out(image_json(rows));
  } else {
    terminal.out(image_table(rows, arguments.view, now));
  }
  co_return status_of_output(terminal);
}

}  // namespace

void add_images(command_line line) {
  CLI::App* command = line.add("images", "List the images that the daemon has");
  if (!command) return;
  auto arguments = std::make_shared<images_arguments>();
  add_one(*command, "REPOSITORY", arguments->repository, "", "Only those of that name: NAME[:TAG]");
  command->add_flag("-a,--all", arguments->all, "Also layers in between, which have no name");
  command->add_flag("-q,--quiet", arguments->view.ids_only, "Only the ids");
  command->add_flag("--no-trunc", arguments->view.whole_ids, "Whole ids");
  command->add_flag("--digests", arguments->view.digests, "Show the digests");
  add_many(*command, "-f,--filter", arguments->filters, "NAME=VALUE",
           "dangling, label, before, since, reference");
  add_one(*command, "--format", arguments->format, "table|json", "json is one object a line (table)")
      ->transform(CLI::IsMember({"table", "json"}).description(""));
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return images(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
