#include <dockline/version.hpp>

#include "arguments.hpp"
#include "command.hpp"
#include "daemon_options.hpp"
#include "help.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <csignal>
#include <exception>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

int main(int argc, char** argv) {
  using namespace dockline::tool;
  occupy_standard_streams();
  // A reader that went away shows as a failed write, not as the end of the process in the middle of a build.
  std::signal(SIGPIPE, SIG_IGN);
  console terminal;
  try {
    CLI::App app("Turns a directory into a Docker image.", "dockline");
    global_options global;
    action chosen;
    app.require_subcommand(1);
    app.fallthrough();
    add_daemon_options(app, global);
    app.add_option("--timeout", global.timeout_seconds,
                   "How long to wait for a connection, an answer, a sign of life (10, 60, 60)")
        ->type_name("SECONDS")
        ->check([](const std::string& text) {
          double seconds = 0;
          const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
          const bool good = code == std::errc() && end == text.data() + text.size() && seconds > 0;
          return good ? std::string() : "\"" + text + "\": a number of seconds above 0";
        });
    app.set_version_flag("--version", std::string("dockline ") + dockline::version_text,
                         "Show the version of dockline");
    app.add_flag("--debug", global.debug,
                 "Show the requests to the daemon and its answers on standard error, without what is secret");
    arguments split;
    const std::vector<std::string> words(argv + 1, argv + argc);
    command_line line(app, words, global, split.tail, chosen);
    add_build(line);
    add_containerize(line);
    add_context(line);
    add_run(line);
    add_push(line);
    add_pull(line);
    add_tag(line);
    add_images(line);
    add_inspect(line);
    add_rmi(line);
    add_save(line);
    add_load(line);
    add_logs(line);
    add_events(line);
    add_prune(line);
    add_info(line);
    add_doctor(line);
    add_version(line);
    add_ping(line);
    add_help_pages(app);
    split = split_arguments(app, words);
    try {
      // The parser takes a vector of words from its end.
      app.parse(std::vector<std::string>(split.own.rbegin(), split.own.rend()));
    } catch (const CLI::Success& asked) {
      std::ostringstream out;
      app.exit(asked, out, out);
      terminal.out(out.str());
      return static_cast<int>(terminal.intact() ? exit_status::done : exit_status::failed);
    } catch (const CLI::ParseError& wrong) {
      const auto left = app.remaining();
      const bool unknown = app.get_subcommands().empty() && !left.empty();
      terminal.error(unknown ? "there is no command \"" + left.front() + "\"" : wrong.what());
      terminal.err("Run 'dockline --help' or 'dockline COMMAND --help' for the usage.\n");
      return static_cast<int>(exit_status::usage);
    }
    return chosen();
  } catch (const dockline::error_with_diagnostics& thrown) {
    return static_cast<int>(report(terminal, thrown.code(), thrown.why()));
  } catch (const std::exception& thrown) {
    terminal.error(thrown.what());
    return static_cast<int>(exit_status::failed);
  }
}
