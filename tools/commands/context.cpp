#include "commands/context_arguments.hpp"
#include "commands/context_table.hpp"
#include "option_forms.hpp"
#include "result_file.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct context_command {
  context_command() = default;

  context_arguments context;
  std::string format = "table";
  std::string output = "-";
  std::string mode = "buildkit";
};

asio::awaitable<int> show_context(asio::any_io_executor executor, context_command wanted) {
  console terminal;
  const bool tar = wanted.format == "tar";
  result_file to(wanted.output, terminal);
  if (tar && to.is_terminal()) {
    terminal.error("--format tar: a terminal cannot show a tar; redirect it, or name a file with --output");
    co_return static_cast<int>(exit_status::usage);
  }
  int status = 0;
  const auto mode = wanted.mode == "classic" ? archive::ignore_mode::classic : archive::ignore_mode::buildkit;
  auto context = co_await open_context(executor, wanted.context, mode, terminal, status);
  if (!context) co_return status;
  if (tar) co_return co_await write_all(context->pack(), to, terminal);
  diagnostics why;
  auto [code, listing] = co_await archive::async_list_context(executor, *context, why, no_throw);
  if (code) co_return report_unsent(terminal, code, why);
  bool written = true;
  if (wanted.format == "json") {
    archive::to_json(*context, listing, [&](std::string_view part) { written = written && to.write(part); });
    written = written && to.write("\n");
  } else {
    written = to.write(context_table(*context, listing));
  }
  co_return static_cast<int>(written && to.finish() ? exit_status::done : exit_status::failed);
}

}  // namespace

void add_context(command_line line) {
  CLI::App* command = line.add("context", "Show what a build would send, and why not the rest");
  if (!command) return;
  auto wanted = std::make_shared<context_command>();
  add_one(*command, "PATH", wanted->context.path, "", "The directory to build from (.)");
  declare_context(*command, wanted->context, {"none", "gzip"});
  add_one(*command, "--format", wanted->format, "table|json|tar", "What to write (table)")
      ->transform(CLI::IsMember({"table", "json", "tar"}).description(""));
  add_one(*command, "-o,--output", wanted->output, "FILE", "Where to write it; - is standard output (-)");
  add_one(*command, "--mode", wanted->mode, "classic|buildkit", "Whose reading of the ignore file (buildkit)")
      ->transform(CLI::IsMember({"classic", "buildkit"}).description(""));
  command->callback([line, wanted] {
    line.chosen = [wanted] {
      asio::io_context io(1);
      return run_until_done(io, [&io, wanted] { return show_context(io.get_executor(), *wanted); });
    };
  });
}

}  // namespace dockline::tool
