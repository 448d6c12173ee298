#include <dockline/engine/system.hpp>
#include <dockline/progress/printable.hpp>
#include <dockline/version.hpp>

#include "command.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>
#include <openssl/crypto.h>

#include <memory>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

struct version_options {
  version_options() = default;

  bool client_only = false;
};

std::string version_row(std::string_view name, std::string_view value) {
  std::string text = " " + std::string(name) + ":";
  text.resize(18, ' ');
  return text + progress::printable(value) + "\n";
}

asio::awaitable<int> version(asio::any_io_executor executor, global_options global, version_options options) {
  console terminal;
  terminal.out("Client: dockline\n" + version_row("Version", version_text) +
               version_row("API", "1.24 to 1.51") + version_row("TLS", OpenSSL_version(OPENSSL_VERSION)));
  if (options.client_only || !terminal.intact()) co_return status_of_output(terminal);
  const engine::client daemon(executor, client_options_of(global));
  diagnostics why;
  auto [code, found] = co_await engine::async_version(daemon, why, asio::as_tuple(asio::use_awaitable));
  if (code) co_return static_cast<int>(report(terminal, code, why));
  std::string text =
      "\nServer:" + (found.platform_name.empty() ? "" : " " + progress::printable(found.platform_name)) +
      "\n";
  text += version_row("Version", found.version);
  text += version_row(
      "API",
      found.api_version + (found.min_api_version.empty() ? "" : " (minimum " + found.min_api_version + ")"));
  if (!found.git_commit.empty()) text += version_row("Git commit", found.git_commit);
  if (!found.go_version.empty()) text += version_row("Go version", found.go_version);
  if (!found.build_time.empty()) text += version_row("Built", found.build_time);
  text += version_row("OS/Arch", found.os + "/" + found.arch);
  if (!found.kernel_version.empty()) text += version_row("Kernel", found.kernel_version);
  terminal.out(text);
  co_return static_cast<int>(terminal.intact() ? exit_status::done : exit_status::failed);
}

}  // namespace

void add_version(command_line line) {
  CLI::App* command = line.add("version", "Show the versions of dockline and of the daemon");
  if (!command) return;
  auto options = std::make_shared<version_options>();
  command->add_flag("--client", options->client_only, "Do not ask the daemon");
  command->callback([line, options] {
    line.chosen = [line, options] {
      asio::io_context io(1);
      return run_until_done(
          io, [&io, line, options] { return version(io.get_executor(), line.global, *options); });
    };
  });
}

}  // namespace dockline::tool
