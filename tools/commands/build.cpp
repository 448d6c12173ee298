#include <dockline/progress/json_renderer.hpp>
#include <dockline/progress/plain_renderer.hpp>

#include "commands/build_arguments.hpp"
#include "source_of_stdin.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
// A Dockerfile from standard input is held in memory.
constexpr std::size_t longest_dockerfile = std::size_t{16} << 20;

bool is_remote(const std::string& path) {
  static constexpr std::array<std::string_view, 6> prefixes = {"http://", "https://", "git://",
                                                               "git@",    "ssh://",   "github.com/"};
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return path.starts_with(prefix); });
}

// Shows the events as they were asked for.
class progress_view {
 public:
  progress_view(const build_arguments& arguments, console& terminal) {
    if (arguments.quiet) return;
    const auto write = [&terminal](std::string_view text) { terminal.err(text); };
    if (arguments.progress == "json") {
      json_.emplace(write);
    } else {
      plain_.emplace(write);
    }
  }

  void show(const progress::event& what) {
    if (plain_) plain_->show(what);
    if (json_) json_->show(what);
  }
  void finish() {
    if (plain_) plain_->finish();
  }

 private:
  std::optional<progress::plain_renderer> plain_;
  std::optional<progress::json_renderer> json_;
};

asio::awaitable<std::tuple<error_code, std::string>> read_dockerfile(asio::any_io_executor executor) {
  const auto input = make_source_of_stdin(executor);
  std::string text;
  std::vector<char> block(64 * 1024);
  for (;;) {
    auto [code, size] =
        co_await asio::async_initiate<const decltype(no_throw), void(error_code, std::size_t)>(
            [&](auto handler) {
              input->async_read_some(asio::buffer(block), transfer_handler(std::move(handler)));
            },
            no_throw);
    if (!code && text.size() + size > longest_dockerfile) code = errc::message_too_long;
    if (code) co_return std::make_tuple(code, std::string());
    if (size == 0) co_return std::make_tuple(error_code(), std::move(text));
    text.append(block.data(), size);
  }
}

archive::context_options context_options_of(const build_arguments& arguments, console& terminal, bool& good) {
  archive::context_options options;
  options.directory = arguments.path;
  if (!arguments.file.empty() && arguments.file != "-") {
    options.dockerfile = archive::dockerfile_source::from_path(arguments.file);
  }
  // The classic builder gets what docker sends it.
  options.mode = archive::ignore_mode::classic;
  // "auto" is no compression on a Unix socket, where a copy is cheaper than a deflate.
  options.compress =
      arguments.compression == "gzip" ? archive::compression::gzip : archive::compression::none;
  options.compression_level = arguments.compression_level;
  options.reproducible = arguments.reproducible;
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); arguments.reproducible && epoch && *epoch) {
    std::int64_t seconds = 0;
    const std::string_view text(epoch);
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    good = code == std::errc() && end == text.data() + text.size();
    if (!good)
      terminal.error("SOURCE_DATE_EPOCH \"" + std::string(text) + "\": not a number of seconds since 1970");
    options.source_date_epoch = seconds;
  }
  return options;
}

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

  diagnostics why;
  std::shared_ptr<byte_source> source;
  archive::build_context context;
  if (is_remote(arguments.path)) {
    options->remote = arguments.path;
    options->dockerfile = arguments.file;
  } else {
    bool good = true;
    archive::context_options wanted = context_options_of(arguments, terminal, good);
    if (!good) co_return leave(exit_status::usage);
    if (arguments.file == "-") {
      auto [code, text] = co_await read_dockerfile(executor);
      if (code) co_return leave(report(terminal, code, why));
      wanted.dockerfile = archive::dockerfile_source::from_text(std::move(text));
    }
    auto [code, opened] = co_await archive::async_open_context(executor, std::move(wanted), why, no_throw);
    if (code) co_return leave(report(terminal, code, why));
    context = std::move(opened);
    options->dockerfile = context.dockerfile_name();
    source = context.pack();
  }

  const engine::client daemon(executor, client_options_of(global));
  progress_view view(arguments, terminal);
  progress::event_sink sink = [&view](const progress::event& what) { view.show(what); };
  auto [code, image] =
      co_await engine::async_build(daemon, source, std::move(*options), std::move(sink), why, no_throw);
  view.finish();
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
