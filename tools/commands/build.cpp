#include <dockline/engine/image_transfer.hpp>
#include <dockline/engine/system.hpp>

#include "commands/build_arguments.hpp"
#include "commands/build_outcome.hpp"
#include "commands/build_run.hpp"
#include "commands/build_source.hpp"
#include "commands/cloud_build.hpp"
#include "credentials.hpp"
#include "progress_display.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

// Pushes each tag; `digest` becomes that of the last one.
asio::awaitable<error_code> push_tags(engine::client daemon, std::vector<std::string> tags,
                                      progress_display& display, std::string& digest, diagnostics& why) {
  for (const auto& tag : tags) {
    auto auth = co_await find_registry_auth(daemon.get_executor(), tag, display, why);
    if (!auth) co_return auth.error();
    engine::push_options options;
    options.auth = std::move(*auth);
    auto [code, pushed] =
        co_await engine::async_image_push(daemon, tag, std::move(options), display.sink(), why, no_throw);
    if (code) co_return code;
    digest = pushed.tags.back().digest;
  }
  co_return error_code();
}

// What is wrong with a daemon that does not answer, the build itself tells.
asio::awaitable<bool> is_podman(engine::client daemon) {
  diagnostics why;
  auto [code, pong] = co_await engine::async_ping(daemon, why, no_throw);
  co_return !code && pong.server.starts_with("Libpod");
}

asio::awaitable<int> build(asio::any_io_executor executor, global_options global, build_arguments arguments) {
  console terminal;
  const auto leave = [](exit_status status) { return static_cast<int>(status); };
  if (const std::string reason = why_not(arguments, global); !reason.empty()) {
    terminal.error(reason);
    co_return leave(exit_status::usage);
  }
  if (!arguments.cloud.bucket.empty())
    co_return co_await build_in_cloud(executor, global, std::move(arguments));
  const auto request = read_buildkit_request(arguments, terminal);
  if (!request) co_return leave(exit_status::usage);
  auto options = engine_options_of(arguments, terminal);
  if (!options) co_return leave(exit_status::usage);
  if ((arguments.push || arguments.load) && !makes_image(*request)) {
    terminal.error(std::string(arguments.push ? "--push" : "--load") +
                   ": the result goes elsewhere, by --output");
    co_return leave(exit_status::usage);
  }
  if (arguments.push && arguments.tags.empty()) {
    terminal.error("--push: an image needs a name to be pushed by; give it one with --tag");
    co_return leave(exit_status::usage);
  }
  if (!remove_old_outcome(arguments, terminal)) co_return leave(exit_status::usage);

  const engine::client_options where = client_options_of(global);
  arguments.context.compression = settled_compression(arguments.context.compression, where.host);
  int status = 0;
  // The classic builder gets what docker sends it.
  const bool buildkit = may_use_buildkit(arguments);
  const auto mode = buildkit ? archive::ignore_mode::buildkit : archive::ignore_mode::classic;
  auto source = co_await open_build_source(executor, arguments.context, mode, terminal, status);
  if (!source) co_return status;
  options->remote = source->remote;
  options->dockerfile = source->dockerfile;

  diagnostics why;
  const engine::client daemon(executor, where);
  if (!source->remote.empty() && co_await is_podman(daemon)) {
    terminal.error("podman fetches no context from \"" + source->remote +
                   "\": give it a directory, or an archive as -");
    co_return leave(exit_status::usage);
  }
  progress_display display(executor, shown_as(arguments.progress, arguments.quiet), "Building", terminal);
  auto prepared = co_await add_user_settings(executor, where.host, source->dockerfile_text, *options, why);
  if (!prepared) {
    display.finish(prepared.error());
    co_return leave(report(terminal, prepared.error(), why));
  }
  for (const auto& text : *prepared) display.warn(text);
  progress::event_sink sink = display.sink();
  auto image =
      co_await run_build(daemon, std::move(*source), std::move(*options), request, std::move(sink), why);
  if (!image) {
    display.finish(image.error());
    if (const failed_step* step = why.step()) {
      if (arguments.quiet) terminal.lines(step->log_tail);
      if (arguments.progress != "json") terminal.lines(step->excerpt);
    }
    co_return leave(report(terminal, image.error(), why));
  }
  const bool id_written = image->id.empty() || write_iidfile(arguments, image->id, terminal);
  if (arguments.push) {
    const error_code refused =
        co_await push_tags(daemon, arguments.tags, display, image->manifest_digest, why);
    if (refused) {
      display.finish(refused);
      co_return leave(report(terminal, refused, why));
    }
  }
  display.finish({});
  if (!write_metadata(arguments, *image, terminal) || !id_written) co_return leave(exit_status::failed);
  if (!image->id.empty()) terminal.out(image->id + "\n");
  co_return leave(terminal.intact() ? exit_status::done : exit_status::failed);
}

}  // namespace

void add_build(command_line line) {
  CLI::App* command = line.add("build", "Build an image from a directory");
  if (!command) return;
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
