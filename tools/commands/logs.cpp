#include <dockline/engine/container_list.hpp>
#include <dockline/engine/containers.hpp>

#include "command.hpp"
#include "commands/while_read.hpp"
#include "moment_option.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct logs_arguments {
  logs_arguments() = default;

  std::string container;
  bool follow = false;
  bool timestamps = false;
  std::string tail;
  std::string since;
  std::string until;
};

asio::awaitable<int> logs(engine::client daemon, logs_arguments arguments) {
  console terminal;
  engine::logs_options options;
  options.follow = arguments.follow;
  options.timestamps = arguments.timestamps;
  options.tail = arguments.tail;
  if (!read_moment("--since", arguments.since, options.since, terminal) ||
      !read_moment("--until", arguments.until, options.until, terminal))
    co_return static_cast<int>(exit_status::usage);
  const auto token = asio::as_tuple(asio::use_awaitable);
  diagnostics why;
  // Whether the log is frames or the bytes of a terminal is not told with it.
  auto [unknown, found] = co_await engine::async_container_inspect(daemon, arguments.container, why, token);
  if (unknown) co_return static_cast<int>(report(terminal, unknown, why));
  options.tty = found.tty;
  while_read watch((co_await asio::this_coro::cancellation_state).slot(), terminal);
  engine::output_sink sink = [&](progress::output_stream stream, std::string_view bytes) {
    stream == progress::output_stream::err ? terminal.err(bytes) : terminal.out(bytes);
    watch.look();
  };
  auto [code] = co_await engine::async_container_logs(daemon, found.id, std::move(options), std::move(sink),
                                                      why, asio::bind_cancellation_slot(watch.slot(), token));
  co_return status_after(terminal, code, why);
}

}  // namespace

void add_logs(command_line line) {
  CLI::App* command = line.add("logs", "Show what a container wrote");
  if (!command) return;
  auto arguments = std::make_shared<logs_arguments>();
  add_one(*command, "CONTAINER", arguments->container, "", "By name or id")->required();
  command->add_flag("-f,--follow", arguments->follow, "Go on until the container ends");
  command->add_flag("-t,--timestamps", arguments->timestamps, "Put the time in front of each line");
  add_one(*command, "-n,--tail", arguments->tail, "LINES", "So many lines from the end; all (all)")
      ->check([](const std::string& text) {
        const bool fine =
            text == "all" || (!text.empty() && text.find_first_not_of("0123456789") == text.npos);
        return fine ? std::string() : "a number of lines, or all";
      });
  add_one(*command, "--since", arguments->since, "TIME",
          "From then on: 10m, 2026-11-23T14:00:00Z, 1700000000");
  add_one(*command, "--until", arguments->until, "TIME", "Until then");
  command->callback([line, arguments] {
    line.chosen =
        on_daemon(line.global, [arguments](engine::client daemon) { return logs(daemon, *arguments); });
  });
}

}  // namespace dockline::tool
