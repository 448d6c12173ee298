#pragma once

// What the commands share: the global options, and how a command is run until it ends or is interrupted.

#include <dockline/core/async.hpp>
#include <dockline/engine/client.hpp>
#include <dockline/engine/daemon_choice.hpp>

#include "console.hpp"
#include "exit_status.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace dockline::tool {

struct global_options {
  global_options() = default;

  // Which daemon; what is empty is left to the environment and to docker's configuration.
  std::string host;
  std::string context;
  std::optional<bool> tls;
  std::optional<bool> tls_verify;
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;

  double timeout_seconds = 0;  // 0: the library's defaults
  bool debug = false;
};

// The options of a command were parsed; this is the rest. Returns the status of the process.
using action = std::function<int()>;

// What a command's file adds to the command line.
struct command_line {
  command_line(CLI::App& whole, const std::vector<std::string>& given, global_options& global_ones,
               const std::vector<std::string>& rest, action& todo)
      : app(whole), words(given), global(global_ones), tail(rest), chosen(todo) {}

  // The command that is to be given its options; null where no word can mean it. To declare those of all
  // commands would be a tenth of what a small build costs.
  CLI::App* add(const std::string& name, const std::string& description) const;

  CLI::App& app;
  const std::vector<std::string>& words;  // all of the command line
  global_options& global;
  const std::vector<std::string>& tail;  // of `run`: the image and all that follows
  action& chosen;                        // set by the command that was named
};

void add_build(command_line line);
void add_containerize(command_line line);
void add_context(command_line line);
void add_doctor(command_line line);
void add_events(command_line line);
void add_images(command_line line);
void add_info(command_line line);
void add_inspect(command_line line);
void add_load(command_line line);
void add_logs(command_line line);
void add_ping(command_line line);
void add_prune(command_line line);
void add_pull(command_line line);
void add_push(command_line line);
void add_rmi(command_line line);
void add_run(command_line line);
void add_save(command_line line);
void add_tag(command_line line);
void add_version(command_line line);

// What the global options and the environment say of the daemon.
engine::daemon_sources daemon_sources_of(const global_options& global);

// The client that the global options and docker's configuration describe. Throws error_with_diagnostics when
// no daemon can be chosen, which run_until_done() and main() report.
engine::client_options client_options_of(const global_options& global);
// What --debug shows of requests and their answers; empty without it.
http::exchange_observer debug_observer(const global_options& global);
// The deadline of --timeout; empty without it.
std::optional<std::chrono::milliseconds> deadline_of(const global_options& global);
// Gives `options` the deadlines and the observer of the global options.
void add_global_options(const global_options& global, engine::client_options& options);

// An action that runs `body` with a client of the daemon that the global options name.
action on_daemon(const global_options& global,
                 std::function<boost::asio::awaitable<int>(engine::client)> body);

// Runs `body` to its end. SIGINT and SIGTERM cancel it; a second one leaves at once.
int run_until_done(boost::asio::io_context& io, std::function<boost::asio::awaitable<int>()> body);

// Says what went wrong and returns the status that goes with it.
exit_status report(console& to, error_code code, const diagnostics& why);

// The status of a command that did what it should, unless its result could not be written.
int status_of_output(const console& to);

}  // namespace dockline::tool
