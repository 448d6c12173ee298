#include "commands/context_arguments.hpp"

#include "option_forms.hpp"
#include "read_some.hpp"
#include "source_of_stdin.hpp"

#include <boost/asio/buffer.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

// A Dockerfile from standard input is held in memory.
constexpr std::size_t longest_dockerfile = std::size_t{16} << 20;

}  // namespace

asio::awaitable<error_code> read_start(byte_source& input, std::size_t size, std::string& start,
                                       diagnostics& why) {
  while (start.size() < size) {
    std::vector<char> block(size - start.size());
    auto [code, read] = co_await read_some(input, asio::buffer(block));
    if (code) why = input.why();
    if (code || read == 0) co_return code;
    start.append(block.data(), read);
  }
  co_return error_code();
}

asio::awaitable<error_code> read_dockerfile(byte_source& input, std::string& text, diagnostics& why) {
  constexpr std::size_t step = std::size_t{64} << 10;
  for (;;) {
    const std::size_t wanted = text.size() + step;
    const error_code code = co_await read_start(input, wanted, text, why);
    if (code) co_return code;
    if (text.size() > longest_dockerfile) {
      why.set_client_message("standard input: a Dockerfile is at most 16 MiB long");
      co_return errc::message_too_long;
    }
    if (text.size() < wanted) co_return error_code();
  }
}

// Whatever is wrong before anything was sent is bad input, an ignore file that cannot be read as well.
int report_unsent(console& terminal, error_code code, const diagnostics& why) {
  const exit_status status = report(terminal, code, why);
  return static_cast<int>(status == exit_status::failed ? exit_status::usage : status);
}

void declare_context(CLI::App& command, context_arguments& arguments,
                     const std::vector<std::string>& compressions) {
  arguments.compression = compressions.front();
  std::string kinds;
  for (const auto& one : compressions) kinds += (kinds.empty() ? "" : "|") + one;
  add_one(command, "-f,--file", arguments.file, "FILE",
          "The Dockerfile, from anywhere; - is standard input (PATH/Dockerfile)");
  add_one(command, "--compression", arguments.compression, kinds,
          "Of the context on its way (" + compressions.front() + ")")
      ->transform(CLI::IsMember(compressions).description(""));
  add_one(command, "--compression-level", arguments.compression_level, "1-9", "1 is fast, 9 is small (1)")
      ->transform(CLI::Range(1, 9).description(""));
  command.add_flag("--reproducible", arguments.reproducible,
                   "Equal content makes an equal context: times are SOURCE_DATE_EPOCH or 0");
}

asio::awaitable<std::optional<archive::build_context>> open_context(asio::any_io_executor executor,
                                                                    context_arguments arguments,
                                                                    archive::ignore_mode mode,
                                                                    console& terminal, int& status) {
  archive::context_options options;
  options.directory = arguments.path;
  options.mode = mode;
  options.compress =
      arguments.compression == "gzip" ? archive::compression::gzip : archive::compression::none;
  options.compression_level = arguments.compression_level;
  options.reproducible = arguments.reproducible;
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); arguments.reproducible && epoch && *epoch) {
    std::int64_t seconds = 0;
    const std::string_view text(epoch);
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (code != std::errc() || end != text.data() + text.size()) {
      terminal.error("SOURCE_DATE_EPOCH \"" + std::string(text) + "\": not a number of seconds since 1970");
      status = static_cast<int>(exit_status::usage);
      co_return std::nullopt;
    }
    options.source_date_epoch = seconds;
  }
  diagnostics why;
  if (arguments.file == "-") {
    const auto input = make_source_of_stdin(executor);
    std::string text;
    if (const error_code code = co_await read_dockerfile(*input, text, why)) {
      status = report_unsent(terminal, code, why);
      co_return std::nullopt;
    }
    options.dockerfile = archive::dockerfile_source::from_text(std::move(text));
  } else if (!arguments.file.empty()) {
    options.dockerfile = archive::dockerfile_source::from_path(arguments.file);
  }
  auto [code, opened] = co_await archive::async_open_context(executor, std::move(options), why, no_throw);
  if (code) {
    status = report_unsent(terminal, code, why);
    co_return std::nullopt;
  }
  co_return std::move(opened);
}

}  // namespace dockline::tool
