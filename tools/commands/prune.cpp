#include <dockline/engine/build_cache.hpp>
#include <dockline/engine/container_list.hpp>
#include <dockline/engine/image_list.hpp>
#include <dockline/progress/printable.hpp>

#include "command.hpp"
#include "filter_options.hpp"
#include "human.hpp"
#include "json_text.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct prune_arguments {
  prune_arguments() = default;

  bool all = false;
  bool force = false;
  std::vector<std::string> filters;
  std::string format = "table";
};

// Asks on the terminal, and reads the answer before anything runs that could be interrupted.
bool confirmed(const prune_arguments& arguments, console& terminal) {
  terminal.err(
      std::string("This will remove:\n  - all containers that do not run\n") +
      (arguments.all ? "  - all images that no container uses\n" : "  - all images without a name\n") +
      "  - the build cache that nothing uses\n");
  for (const auto& filter : arguments.filters)
    terminal.err("as far as this holds: " + progress::printable(filter) + "\n");
  terminal.err("Go on? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

struct removed {
  removed() = default;

  std::vector<std::string> containers;
  std::vector<std::string> untagged;
  std::vector<std::string> images;
  std::vector<std::string> cache;
  std::int64_t bytes = 0;
};

std::string listed(std::string_view title, std::string_view before, const std::vector<std::string>& texts) {
  std::string text;
  if (!title.empty() && !texts.empty()) text = std::string(title) + "\n";
  for (const auto& one : texts) text += std::string(before) + progress::printable(one) + "\n";
  return text;
}

std::string prune_text(const removed& gone) {
  std::string text = listed("Deleted containers:", "", gone.containers);
  std::string images = listed("", "untagged: ", gone.untagged) + listed("", "deleted: ", gone.images);
  if (!images.empty()) text += (text.empty() ? "" : "\n") + std::string("Deleted images:\n") + images;
  if (!gone.cache.empty())
    text += (text.empty() ? "" : "\n") + listed("Deleted build cache:", "", gone.cache);
  return text + (text.empty() ? "" : "\n") + "Total reclaimed space: " + human_size(gone.bytes) + "\n";
}

std::string prune_json(const removed& gone) {
  json_object line;
  line.add("containers", gone.containers).add("untagged", gone.untagged).add("images", gone.images);
  line.add("build_cache", gone.cache).add("space_reclaimed", gone.bytes);
  return line.line();
}

asio::awaitable<int> prune(engine::client daemon, prune_arguments arguments, engine::filter_map filters) {
  console terminal;
  const auto token = asio::as_tuple(asio::use_awaitable);
  diagnostics why;
  removed gone;
  const bool json = arguments.format == "json";
  const auto shown = [json](const removed& what) { return json ? prune_json(what) : prune_text(what); };
  auto [failed, containers] = co_await engine::async_container_prune(daemon, filters, why, token);
  if (failed) co_return static_cast<int>(report(terminal, failed, why));
  gone.containers = std::move(containers.deleted);
  gone.bytes = containers.space_reclaimed;

  engine::image_prune_options options;
  options.all = arguments.all;
  options.filters = filters;
  auto [code, images] = co_await engine::async_image_prune(daemon, std::move(options), why, token);
  if (code) {
    terminal.out(shown(gone));
    co_return static_cast<int>(report(terminal, code, why));
  }
  gone.untagged = std::move(images.untagged);
  gone.images = std::move(images.deleted);
  gone.bytes += images.space_reclaimed;

  // The build cache knows no labels: with them, none of it is meant.
  const bool by_label = std::ranges::any_of(filters, [](const auto& one) { return one.first != "until"; });
  if (!by_label) {
    engine::build_prune_options cache;
    cache.all = arguments.all;
    cache.filters = filters;
    auto [none, pruned] = co_await engine::async_build_prune(daemon, std::move(cache), why, token);
    // podman has no such cache.
    if (none && none != condition::not_found && none != condition::unsupported) {
      terminal.out(shown(gone));
      co_return static_cast<int>(report(terminal, none, why));
    }
    gone.cache = std::move(pruned.ids);
    gone.bytes += pruned.space_reclaimed;
  }
  terminal.out(shown(gone));
  co_return status_of_output(terminal);
}

}  // namespace

void add_prune(command_line line) {
  CLI::App* command = line.add("prune", "Remove what nothing uses: containers, images, build cache");
  if (!command) return;
  auto arguments = std::make_shared<prune_arguments>();
  command->add_flag("-a,--all", arguments->all,
                    "All images that no container uses, not only those without a name");
  command->add_flag("-f,--force", arguments->force, "Do not ask");
  add_many(*command, "--filter", arguments->filters, "NAME=VALUE", "until=24h, label=NAME[=VALUE], label!=…");
  add_one(*command, "--format", arguments->format, "table|json", "json is one object (table)")
      ->transform(CLI::IsMember({"table", "json"}).description(""));
  command->callback([line, arguments] {
    line.chosen = [line, arguments]() -> int {
      console terminal;
      const auto filters = filters_of(arguments->filters, terminal);
      if (!filters) return static_cast<int>(exit_status::usage);
      if (!arguments->force) {
        if (::isatty(STDIN_FILENO) != 1) {
          terminal.error("prune asks before it removes anything, and there is no terminal; say --force");
          return static_cast<int>(exit_status::usage);
        }
        if (!confirmed(*arguments, terminal)) return static_cast<int>(exit_status::failed);
      }
      return on_daemon(line.global, [arguments, filters](engine::client daemon) {
        return prune(daemon, *arguments, *filters);
      })();
    };
  });
}

}  // namespace dockline::tool
