#include "commands/build_arguments.hpp"
#include "commands/build_source.hpp"
#include "credentials.hpp"
#include "progress_display.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <memory>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

bool write_id(const std::string& path, const std::string& id) {
  std::ofstream file(path, std::ios::trunc | std::ios::binary);
  file << id;
  file.close();
  return file.good();
}

asio::awaitable<int> build(asio::any_io_executor executor, global_options global, build_arguments arguments) {
  console terminal;
  const auto leave = [](exit_status status) { return static_cast<int>(status); };
  if (arguments.builder == "buildkit") {
    terminal.error("--builder buildkit: this version builds with the daemon's classic builder only");
    co_return leave(exit_status::usage);
  }
  auto options = engine_options_of(arguments, terminal);
  if (!options) co_return leave(exit_status::usage);
  // An id from an earlier build must not pass for one of this.
  if (!arguments.iidfile.empty()) std::remove(arguments.iidfile.c_str());

  int status = 0;
  // The classic builder gets what docker sends it.
  auto source = co_await open_build_source(executor, arguments.context, archive::ignore_mode::classic,
                                           terminal, status);
  if (!source) co_return status;
  options->remote = source->remote;
  options->dockerfile = source->dockerfile;

  diagnostics why;
  const engine::client_options where = client_options_of(global);
  const engine::client daemon(executor, where);
  progress_display display(executor, arguments.quiet ? "none" : arguments.progress, "Building", terminal);
  auto prepared = co_await add_user_settings(executor, where.host, source->dockerfile_text, *options, why);
  if (!prepared) {
    display.finish(prepared.error());
    co_return leave(report(terminal, prepared.error(), why));
  }
  for (const auto& text : *prepared) display.warn(text);
  progress::event_sink sink = display.sink();
  auto [code, image] =
      co_await engine::async_build(daemon, source->body, std::move(*options), std::move(sink), why, no_throw);
  display.finish(code);
  if (code) {
    const failed_step* step = why.step();
    if (arguments.quiet && step != nullptr) terminal.lines(step->log_tail);
    co_return leave(report(terminal, code, why));
  }
  if (!arguments.iidfile.empty() && !write_id(arguments.iidfile, image.id)) {
    terminal.error("--iidfile \"" + arguments.iidfile + "\": cannot be written");
    co_return leave(exit_status::failed);
  }
  terminal.out(image.id + "\n");
  co_return leave(terminal.intact() ? exit_status::done : exit_status::failed);
}

}  // namespace

void add_build(command_line line) {
  CLI::App* command = line.app.add_subcommand("build", "Build an image from a directory");
  auto arguments = std::make_shared<build_arguments>();
  declare(*command, *arguments);
  command->callback([line, arguments] {
    line.chosen = [line, arguments] {
      asio::io_context io(1);
      return run_until_done(
          io, [&io, line, arguments] { return build(io.get_executor(), line.global, *arguments); });
    };
  });
}

}  // namespace dockline::tool
