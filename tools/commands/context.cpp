#include "commands/context_arguments.hpp"
#include "commands/context_table.hpp"
#include "read_some.hpp"

#include <boost/asio/buffer.hpp>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

constexpr std::size_t block_size = 256 * 1024;

struct context_command {
  context_command() = default;

  context_arguments context;
  std::string format = "table";
  std::string output = "-";
  std::string mode = "buildkit";
};

// Where the result goes: a file that is made when the first bytes are there, or standard output.
class result_file {
 public:
  result_file(const std::string& path, console& terminal) : path_(path), terminal_(terminal) {}
  result_file(const result_file&) = delete;
  result_file& operator=(const result_file&) = delete;
  ~result_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  bool write(std::string_view bytes) {
    if (path_ == "-") {
      terminal_.out(bytes);
      return terminal_.intact();
    }
    if (descriptor_ < 0) descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    while (descriptor_ >= 0 && !bytes.empty()) {
      const ssize_t size = ::write(descriptor_, bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    if (descriptor_ >= 0 && bytes.empty()) return true;
    terminal_.error("--output \"" + path_ + "\": " + std::generic_category().message(errno));
    return false;
  }

 private:
  std::string path_;
  console& terminal_;
  int descriptor_ = -1;
};

asio::awaitable<int> write_tar(archive::build_context context, result_file& to, console& terminal) {
  const auto source = context.pack();
  std::vector<char> block(block_size);
  for (;;) {
    auto [code, size] = co_await read_some(*source, asio::buffer(block));
    for (const auto& text : source->take_warnings()) terminal.warn(text);
    if (code) co_return static_cast<int>(report(terminal, code, source->why()));
    if (size == 0) co_return static_cast<int>(exit_status::done);
    if (!to.write(std::string_view(block.data(), size))) co_return static_cast<int>(exit_status::failed);
  }
}

asio::awaitable<int> show_context(asio::any_io_executor executor, context_command wanted) {
  console terminal;
  const bool tar = wanted.format == "tar";
  if (tar && wanted.output == "-" && ::isatty(STDOUT_FILENO) == 1) {
    terminal.error("--format tar: a terminal cannot show a tar; redirect it, or name a file with --output");
    co_return static_cast<int>(exit_status::usage);
  }
  int status = 0;
  const auto mode = wanted.mode == "classic" ? archive::ignore_mode::classic : archive::ignore_mode::buildkit;
  auto context = co_await open_context(executor, wanted.context, mode, terminal, status);
  if (!context) co_return status;
  result_file to(wanted.output, terminal);
  if (tar) co_return co_await write_tar(*context, to, terminal);
  diagnostics why;
  auto [code, listing] = co_await archive::async_list_context(executor, *context, why, no_throw);
  if (code) co_return static_cast<int>(report(terminal, code, why));
  const std::string text =
      wanted.format == "json" ? archive::to_json(*context, listing) + "\n" : context_table(*context, listing);
  co_return static_cast<int>(to.write(text) ? exit_status::done : exit_status::failed);
}

}  // namespace

void add_context(command_line line) {
  CLI::App* command =
      line.app.add_subcommand("context", "Show what a build would send, and why not the rest");
  auto wanted = std::make_shared<context_command>();
  command->add_option("PATH", wanted->context.path, "The directory to build from (.)")->type_name("");
  declare_context(*command, wanted->context, {"none", "gzip"});
  command->add_option("--format", wanted->format, "What to write (table)")
      ->type_name("table|json|tar")
      ->transform(CLI::IsMember({"table", "json", "tar"}).description(""));
  command->add_option("-o,--output", wanted->output, "Where to write it; - is standard output (-)")
      ->type_name("FILE");
  command->add_option("--mode", wanted->mode, "Whose reading of the ignore file (buildkit)")
      ->type_name("classic|buildkit")
      ->transform(CLI::IsMember({"classic", "buildkit"}).description(""));
  command->callback([line, wanted] {
    line.chosen = [wanted] {
      asio::io_context io(1);
      return run_until_done(io, [&io, wanted] { return show_context(io.get_executor(), *wanted); });
    };
  });
}

}  // namespace dockline::tool
