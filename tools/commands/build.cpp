#include <dockline/engine/image_transfer.hpp>

#include "commands/build_arguments.hpp"
#include "commands/build_source.hpp"
#include "credentials.hpp"
#include "json_text.hpp"
#include "progress_display.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

// False, after saying why, when the file cannot be written. No file is asked for by an empty path.
bool write_file(std::string_view option, const std::string& path, const std::string& text,
                console& terminal) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::trunc | std::ios::binary);
  file << text;
  file.close();
  if (file.good()) return true;
  terminal.error(std::string(option) + " \"" + path + "\": cannot be written");
  return false;
}

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

// What buildx writes with --metadata-file, under the same names, as far as it is known here.
std::string metadata(const std::string& id, const std::vector<std::string>& tags, const std::string& digest) {
  std::string names;
  for (const auto& tag : tags) names += (names.empty() ? "" : ",") + tag;
  json_object object;
  object.add("containerimage.config.digest", id);
  if (!digest.empty()) object.add("containerimage.digest", digest);
  if (!names.empty()) object.add("image.name", names);
  return object.line();
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
  if (arguments.push && arguments.tags.empty()) {
    terminal.error("--push: an image needs a name to be pushed by; give it one with --tag");
    co_return leave(exit_status::usage);
  }
  // What is there from an earlier build must not pass for a result of this.
  if (!arguments.iidfile.empty()) std::remove(arguments.iidfile.c_str());
  if (!arguments.metadata_file.empty()) std::remove(arguments.metadata_file.c_str());

  const engine::client_options where = client_options_of(global);
  arguments.context.compression = settled_compression(arguments.context.compression, where.host);
  int status = 0;
  // The classic builder gets what docker sends it.
  auto source = co_await open_build_source(executor, arguments.context, archive::ignore_mode::classic,
                                           terminal, status);
  if (!source) co_return status;
  options->remote = source->remote;
  options->dockerfile = source->dockerfile;

  diagnostics why;
  const engine::client daemon(executor, where);
  progress_display display(executor, shown_as(arguments.progress, arguments.quiet), "Building", terminal);
  auto prepared = co_await add_user_settings(executor, where.host, source->dockerfile_text, *options, why);
  if (!prepared) {
    display.finish(prepared.error());
    co_return leave(report(terminal, prepared.error(), why));
  }
  for (const auto& text : *prepared) display.warn(text);
  progress::event_sink sink = display.sink();
  auto [code, image] =
      co_await engine::async_build(daemon, source->body, std::move(*options), std::move(sink), why, no_throw);
  if (code) {
    display.finish(code);
    const failed_step* step = why.step();
    if (arguments.quiet && step != nullptr) terminal.lines(step->log_tail);
    co_return leave(report(terminal, code, why));
  }
  const bool id_written = write_file("--iidfile", arguments.iidfile, image.id, terminal);
  std::string digest;
  if (arguments.push) {
    const error_code refused = co_await push_tags(daemon, arguments.tags, display, digest, why);
    if (refused) {
      display.finish(refused);
      co_return leave(report(terminal, refused, why));
    }
  }
  display.finish({});
  const std::string about = metadata(image.id, arguments.tags, digest);
  if (!write_file("--metadata-file", arguments.metadata_file, about, terminal) || !id_written)
    co_return leave(exit_status::failed);
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
