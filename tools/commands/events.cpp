#include <dockline/engine/events.hpp>
#include <dockline/progress/printable.hpp>

#include "command.hpp"
#include "commands/event_line.hpp"
#include "commands/while_read.hpp"
#include "filter_options.hpp"
#include "json_text.hpp"
#include "moment_option.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct events_arguments {
  events_arguments() = default;

  std::string since;
  std::string until;
  std::vector<std::string> filters;
  std::string format = "table";
};

asio::awaitable<int> events(engine::client daemon, events_arguments arguments) {
  console terminal;
  engine::events_options options;
  auto filters = filters_of(arguments.filters, terminal);
  if (!filters || !read_moment("--since", arguments.since, options.since, terminal) ||
      !read_moment("--until", arguments.until, options.until, terminal))
    co_return static_cast<int>(exit_status::usage);
  options.filters = std::move(*filters);
  const bool json = arguments.format == "json";
  while_read watch((co_await asio::this_coro::cancellation_state).slot(), terminal);
  engine::daemon_event_sink sink = [&](const engine::daemon_event& event) {
    terminal.out(json ? on_one_line(event.raw) + "\n" : event_line(event) + "\n");
    watch.look();
  };
  diagnostics why;
  auto [code] = co_await engine::async_events(
      daemon, std::move(options), std::move(sink), why,
      asio::bind_cancellation_slot(watch.slot(), asio::as_tuple(asio::use_awaitable)));
  co_return status_after(terminal, code, why);
}

}  // namespace

void add_events(command_line line) {
  CLI::App* command = line.add("events", "Show what happens on the daemon, as it happens");
  if (!command) return;
  auto arguments = std::make_shared<events_arguments>();
  add_one(*command, "--since", arguments->since, "TIME",
          "From then on: 10m, 2026-11-23T14:00:00Z, 1700000000");
  add_one(*command, "--until", arguments->until, "TIME", "End then");
  add_many(*command, "-f,--filter", arguments->filters, "NAME=VALUE",
           "type, event, container, image, label, …");
  add_one(*command, "--format", arguments->format, "table|json", "json is one object a line (table)")
      ->transform(CLI::IsMember({"table", "json"}).description(""));
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return events(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
