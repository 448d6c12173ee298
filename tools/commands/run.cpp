#include <dockline/engine/run.hpp>

#include "commands/run_arguments.hpp"
#include "credentials.hpp"
#include "source_of_stdin.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

// docker's own statuses for a container that could not be started, which the daemon tells only in words.
int status_of_start(error_code code, const diagnostics& why) {
  if (code == condition::cancelled) return static_cast<int>(exit_status::interrupted);
  // The engines' runtimes differ in their capitals.
  std::string words = why.server_message();
  for (char& c : words) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const auto says = [&](std::string_view part) { return words.find(part) != words.npos; };
  if (says("executable file not found") || says("no such file or directory") || says("not found in $path"))
    return 127;
  if (says("permission denied") || says("is a directory")) return 126;
  return static_cast<int>(exit_status::not_run);
}

asio::awaitable<int> start_detached(engine::client daemon, engine::container_options container, bool remove) {
  console terminal;
  diagnostics why;
  container.auto_remove = remove;
  const auto token = asio::as_tuple(asio::use_awaitable);
  auto [code, made] = co_await engine::async_container_create(daemon, std::move(container), why, token);
  if (code) {
    const bool interrupted = report(terminal, code, why) == exit_status::interrupted;
    co_return static_cast<int>(interrupted ? exit_status::interrupted : exit_status::not_run);
  }
  for (const auto& text : made.warnings) terminal.warn(text);
  auto [not_started] = co_await engine::async_container_start(daemon, made.id, why, token);
  if (not_started) {
    report(terminal, not_started, why);
    co_return status_of_start(not_started, why);
  }
  terminal.out(made.id + "\n");
  co_return static_cast<int>(exit_status::done);
}

asio::awaitable<int> run(asio::any_io_executor executor, global_options global, run_arguments arguments) {
  console terminal;
  auto container = container_of(arguments, terminal);
  if (!container) co_return static_cast<int>(exit_status::usage);
  const engine::client_options where = client_options_of(global);
  diagnostics why;
  const auto config = engine::config_file_from_environment(why);
  if (!config) co_return static_cast<int>(report(terminal, config.error(), why));
  if (const auto* proxies = config->proxies_for(where.host))
    add_proxies(*proxies, arguments.env, container->env);
  const engine::client daemon(executor, where);
  if (arguments.detach) co_return co_await start_detached(daemon, std::move(*container), arguments.remove);

  engine::run_options options;
  options.container = std::move(*container);
  options.remove = arguments.remove;
  if (arguments.interactive) options.input = make_source_of_stdin(executor);
  // Cancelled from outside, and when nobody reads any more what the container writes.
  asio::cancellation_signal stop;
  (co_await asio::this_coro::cancellation_state).slot().assign([&stop](asio::cancellation_type type) {
    stop.emit(type);
  });
  engine::output_sink sink = [&](progress::output_stream stream, std::string_view bytes) {
    stream == progress::output_stream::err ? terminal.err(bytes) : terminal.out(bytes);
    if (!terminal.intact()) stop.emit(asio::cancellation_type::terminal);
  };
  auto [code, done] = co_await engine::async_run(
      daemon, std::move(options), std::move(sink), why,
      asio::bind_cancellation_slot(stop.slot(), asio::as_tuple(asio::use_awaitable)));
  (co_await asio::this_coro::cancellation_state).slot().clear();
  if (!terminal.intact()) co_return static_cast<int>(exit_status::not_run);
  if (code) {
    report(terminal, code, why);
    co_return status_of_start(code, why);
  }
  for (const auto& text : done.warnings) terminal.warn(text);
  co_return done.status;
}

}  // namespace

void add_run(command_line line) {
  CLI::App* command = line.add("run", "Run an image and show what it prints");
  if (!command) return;
  auto arguments = std::make_shared<run_arguments>();
  declare(*command, *arguments);
  command->callback([line, arguments] {
    arguments->image_and_command = line.tail;
    if (line.tail.empty()) throw CLI::RequiredError("IMAGE");
    line.chosen = [line, arguments] {
      asio::io_context io(1);
      return run_until_done(
          io, [&io, line, arguments] { return run(io.get_executor(), line.global, *arguments); });
    };
  });
}

}  // namespace dockline::tool
