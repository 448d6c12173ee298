#include <dockline/engine/config_file.hpp>
#include <dockline/engine/system.hpp>

#include "command.hpp"
#include "commands/cloud_arguments.hpp"
#include "doctor_checks.hpp"
#include "doctor_google.hpp"
#include "option_forms.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

// What is left where a daemon on this machine keeps its data. Of another machine nothing is known.
std::optional<std::uintmax_t> free_space_for(const std::string& host, const std::string& folder) {
  if (!host.starts_with("unix://") || folder.empty()) return std::nullopt;
  std::error_code failed;
  const auto space = std::filesystem::space(folder, failed);
  if (failed) return std::nullopt;
  return space.available;
}

// Asks the daemon; how it went, which is the status.
asio::awaitable<error_code> look_at_daemon(asio::any_io_executor executor, global_options global,
                                           findings& daemon) {
  const engine::daemon_sources sources = daemon_sources_of(global);
  diagnostics why;
  engine::client_options options;
  options.host.clear();
  const auto naming = engine::who_names_the_daemon(sources, why);
  auto chosen = naming ? engine::choose_daemon(sources, why) : result<engine::client_options>(naming.error());
  if (!chosen) {
    check_failure(chosen.error(), why, options, daemon);
    co_return chosen.error();
  }
  options = std::move(*chosen);
  check_choice(sources, options, *naming, daemon);
  // A configuration that cannot be read is told elsewhere.
  if (auto config = engine::config_file_from_environment(why))
    options.headers = std::move(config->http_headers);
  add_global_options(global, options);

  const engine::client client(executor, options);
  const auto token = asio::as_tuple(asio::use_awaitable);
  auto [no_pong, pong] = co_await engine::async_ping(client, why, token);
  error_code failure = no_pong;
  engine::version_result version;
  engine::system_info info;
  if (!failure) std::tie(failure, version) = co_await engine::async_version(client, why, token);
  if (!failure) std::tie(failure, info) = co_await engine::async_info(client, why, token);
  if (failure) {
    check_failure(failure, why, options, daemon);
    co_return failure;
  }
  check_daemon(pong, version, info, free_space_for(options.host, info.root_dir), daemon);
  co_return error_code();
}

asio::awaitable<int> doctor(asio::any_io_executor executor, global_options global, std::string format,
                            google_question google) {
  google.bucket = bucket_name_of(google.bucket);
  console terminal;
  const std::string settings = engine::config_directory_from_environment();
  const char* path = std::getenv("PATH");
  findings daemon("daemon", "Daemon");
  findings contexts("docker_contexts", "Docker contexts");
  findings credentials("credentials", "Credentials");
  const error_code failure = co_await look_at_daemon(executor, global, daemon);
  if (failure == condition::cancelled) co_return static_cast<int>(report(terminal, failure, diagnostics()));
  check_contexts(engine::list_docker_contexts(settings), contexts);
  check_credentials(settings, path != nullptr ? path : "", credentials);
  std::vector<findings> all = {std::move(daemon), std::move(contexts), std::move(credentials)};
  const error_code stopped = co_await look_at_google(executor, std::move(global), std::move(google), all);
  if (stopped) co_return static_cast<int>(report(terminal, stopped, diagnostics()));
  terminal.out(format == "json" ? report_json(all) : report_text(all));
  if (!terminal.intact()) co_return static_cast<int>(exit_status::failed);
  if (failure) co_return static_cast<int>(status_of(failure));
  co_return static_cast<int>(is_usable(all) ? exit_status::done : exit_status::usage);
}

}  // namespace

void add_doctor(command_line line) {
  CLI::App* command = line.add("doctor", "Show what dockline finds, and what is wrong with it");
  if (!command) return;
  auto format = std::make_shared<std::string>("table");
  add_one(*command, "--format", *format, "table|json", "json is one object on one line (table)")
      ->transform(CLI::IsMember({"table", "json"}).description(""));
  auto google = std::make_shared<google_question>();
  add_one(*command, "--image-build-bucket", google->bucket, "BUCKET",
          "Look at this bucket for builds with Google Cloud Build as well");
  add_one(*command, "--project", google->project, "ID", "Google's project to build in");
  command->callback([line, format, google] {
    line.chosen = [line, format, google] {
      asio::io_context io(1);
      return run_until_done(io, [&io, line, format, google] {
        return doctor(io.get_executor(), line.global, *format, *google);
      });
    };
  });
}

}  // namespace dockline::tool
