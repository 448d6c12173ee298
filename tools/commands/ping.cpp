#include <dockline/engine/system.hpp>
#include <dockline/progress/printable.hpp>

#include "command.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

asio::awaitable<int> ping(asio::any_io_executor executor, global_options global) {
  console terminal;
  const engine::client daemon(executor, client_options_of(global));
  diagnostics why;
  auto [code, pong] = co_await engine::async_ping(daemon, why, asio::as_tuple(asio::use_awaitable));
  if (code) co_return static_cast<int>(report(terminal, code, why));
  std::string text = "OK " + (pong.server.empty() ? "daemon" : pong.server);
  text += ", API " + (pong.api_version.empty() ? "unknown" : pong.api_version);
  text += " (speaking " + pong.negotiated_version + ")";
  terminal.out(progress::printable(text) + "\n");
  co_return static_cast<int>(terminal.intact() ? exit_status::done : exit_status::failed);
}

}  // namespace

void add_ping(command_line line) {
  CLI::App* command = line.add("ping", "Ask the daemon whether it is there");
  if (!command) return;
  command->callback([line] {
    line.chosen = [line] {
      asio::io_context io(1);
      return run_until_done(io, [&io, line] { return ping(io.get_executor(), line.global); });
    };
  });
}

}  // namespace dockline::tool
