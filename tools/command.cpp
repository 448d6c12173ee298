#include "command.hpp"

#include <dockline/engine/config_file.hpp>

#include "exchange_lines.hpp"
#include "interruptible_write.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <utility>

namespace dockline::tool {

namespace asio = boost::asio;

CLI::App* command_line::add(const std::string& name, const std::string& description) const {
  CLI::App* const command = app.add_subcommand(name, description);
  return std::ranges::find(words, name) == words.end() ? nullptr : command;
}

engine::daemon_sources daemon_sources_of(const global_options& global) {
  engine::daemon_sources sources = engine::daemon_sources_from_environment();
  sources.host = global.host;
  sources.context = global.context;
  sources.tls = global.tls;
  sources.tls_verify = global.tls_verify;
  sources.tls_ca_file = global.tls_ca_file;
  sources.tls_certificate_file = global.tls_certificate_file;
  sources.tls_key_file = global.tls_key_file;
  return sources;
}

engine::client_options client_options_of(const global_options& global) {
  diagnostics why;
  auto chosen = engine::choose_daemon(daemon_sources_of(global), why);
  if (!chosen) throw error_with_diagnostics(chosen.error(), why);
  engine::client_options options = std::move(*chosen);
  if (auto config = engine::config_file_from_environment(why)) {
    options.headers = std::move(config->http_headers);
  } else {
    // It did not have to be read to choose the daemon, and like docker we go on without it.
    console().warn(describe(config.error(), why));
  }
  add_global_options(global, options);
  return options;
}

http::exchange_observer debug_observer(const global_options& global) {
  if (!global.debug) return {};
  return [](const http::exchange_event& what) { console().err(exchange_lines(what)); };
}

std::optional<std::chrono::milliseconds> deadline_of(const global_options& global) {
  if (global.timeout_seconds <= 0) return std::nullopt;
  // A billion seconds is for ever, and still fits into every clock.
  const double seconds = std::min(global.timeout_seconds, 1e9);
  return std::chrono::milliseconds(static_cast<long long>(seconds * 1000));
}

void add_global_options(const global_options& global, engine::client_options& options) {
  options.on_exchange = debug_observer(global);
  if (const auto limit = deadline_of(global)) {
    options.connect_timeout = *limit;
    options.answer_timeout = *limit;
    options.idle_timeout = *limit;
  }
}

action on_daemon(const global_options& global, std::function<asio::awaitable<int>(engine::client)> body) {
  return [&global, body = std::move(body)] {
    asio::io_context io(1);
    return run_until_done(io, [&io, &global, &body] {
      return body(engine::client(io.get_executor(), client_options_of(global)));
    });
  };
}

int run_until_done(asio::io_context& io, std::function<asio::awaitable<int>()> body) {
  int status = static_cast<int>(exit_status::failed);
  asio::cancellation_signal cancel;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  bool interrupted = false;
  std::function<void()> listen = [&] {
    signals.async_wait([&](const error_code& code, int) {
      if (code) return;
      // The second time nothing is waited for: whoever sent it wants to be gone.
      if (interrupted) ::_exit(static_cast<int>(exit_status::interrupted));
      interrupted = true;
      cancel.emit(asio::cancellation_type::terminal);
      listen();
    });
  };
  listen();
  const interruptible_writes writes;
  const auto guarded = [](std::function<asio::awaitable<int>()> inner) -> asio::awaitable<int> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await inner();
  };
  asio::co_spawn(io, guarded(std::move(body)),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure, int value) {
                   signals.cancel();
                   if (failure) {
                     try {
                       std::rethrow_exception(failure);
                     } catch (const error_with_diagnostics& thrown) {
                       console terminal;
                       status = static_cast<int>(report(terminal, thrown.code(), thrown.why()));
                     } catch (const std::exception& thrown) {
                       console().error(thrown.what());
                     }
                     return;
                   }
                   status = value;
                 }));
  io.run();
  const bool failed =
      status == static_cast<int>(exit_status::failed) || status == static_cast<int>(exit_status::not_run);
  return failed && writes.interrupted() ? static_cast<int>(exit_status::interrupted) : status;
}

exit_status report(console& to, error_code code, const diagnostics& why) {
  const exit_status status = status_of(code);
  to.error(status == exit_status::interrupted ? std::string("interrupted") : describe(code, why));
  return status;
}

int status_of_output(const console& to) {
  return static_cast<int>(to.intact() ? exit_status::done : exit_status::failed);
}

}  // namespace dockline::tool
