#include "commands/cloud_build.hpp"

#include <dockline/archive/content_hash.hpp>
#include <dockline/gcp/build.hpp>
#include <dockline/gcp/credentials.hpp>

#include "commands/build_outcome.hpp"
#include "google_client.hpp"
#include "progress_display.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

int leave(exit_status status) { return static_cast<int>(status); }

// What Cloud Build is asked for. Empty, after saying why, when a value cannot be what its option takes.
std::optional<gcp::cloud_build_options> cloud_options_of(const build_arguments& arguments,
                                                         engine::build_options local, console& terminal) {
  const cloud_arguments& cloud = arguments.cloud;
  gcp::cloud_build_options options;
  options.bucket = bucket_name_of(cloud.bucket);
  if (const std::string wrong = gcp::wrong_bucket_name(options.bucket); !wrong.empty()) {
    terminal.error("--image-build-bucket \"" + cloud.bucket + "\": " + wrong);
    return std::nullopt;
  }
  options.bucket_location = cloud.bucket_location;
  options.where.region = cloud.region;
  gcp::build_request& request = options.request;
  request.images = std::move(local.tags);
  request.cache_from = std::move(local.cache_from);
  request.build_args = std::move(local.build_args);
  request.labels = std::move(local.labels);
  request.target = std::move(local.target);
  request.platform = std::move(local.platform);
  if (!local.network_mode.empty()) request.network = std::move(local.network_mode);
  request.extra_hosts = std::move(local.extra_hosts);
  request.no_cache = local.no_cache;
  request.pull = local.pull;
  request.machine_type = cloud.machine_type;
  request.disk_gb = static_cast<int>(cloud.disk_size_gb);
  request.private_pool = cloud.worker_pool;
  request.service_account = cloud.service_account;
  if (!cloud.logs_bucket.empty()) request.logs_bucket = "gs://" + bucket_name_of(cloud.logs_bucket);
  request.tags = cloud.build_tags;
  for (const auto& one : cloud.substitutions) {
    const std::size_t equals = one.find('=');
    if (equals == one.npos) {
      terminal.error("--substitution \"" + one + "\": written _NAME=VALUE");
      return std::nullopt;
    }
    request.substitutions.insert_or_assign(one.substr(0, equals), one.substr(equals + 1));
  }
  const auto take_time = [&](std::string_view option, const std::string& text, std::chrono::seconds& time) {
    if (text.empty()) return true;
    const auto parsed = parse_duration(text);
    if (parsed) time = *parsed;
    if (!parsed) terminal.error(std::string(option) + " \"" + text + "\": written 90s, 20m or 2h");
    return parsed.has_value();
  };
  if (!take_time("--build-timeout", cloud.build_timeout, request.timeout)) return std::nullopt;
  if (!take_time("--queue-timeout", cloud.queue_timeout, request.queue_ttl)) return std::nullopt;
  std::chrono::seconds longest_wait{0};
  if (!take_time("--wait-timeout", cloud.wait_timeout, longest_wait)) return std::nullopt;
  options.wait.longest_wait = longest_wait;
  options.wait.cancel_when_late = cloud.on_wait_timeout != "leave";
  return options;
}

// The context, always packed so that equal content gives equal bytes.
context_arguments context_of(const build_arguments& arguments) {
  context_arguments context = arguments.context;
  context.reproducible = true;
  context.compression = "gzip";
  return context;
}

// Each call packs the tree anew; one that has changed since its name was made is an error.
gcp::source_factory packings_of(archive::build_context context, std::string content_hash) {
  return [context = std::move(context), content_hash = std::move(content_hash)] {
    return std::shared_ptr<byte_source>(context.pack(content_hash));
  };
}

bool is_no_directory(const std::string& path) {
  return path == "-" || path.find("://") != path.npos || path.starts_with("git@") ||
         path.starts_with("github.com/");
}

}  // namespace

asio::awaitable<int> build_in_cloud(asio::any_io_executor executor, global_options global,
                                    build_arguments arguments) {
  console terminal;
  auto local = engine_options_of(arguments, terminal);
  if (!local) co_return leave(exit_status::usage);
  auto options = cloud_options_of(arguments, std::move(*local), terminal);
  if (!options) co_return leave(exit_status::usage);
  if (is_no_directory(arguments.context.path)) {
    terminal.error("PATH \"" + arguments.context.path + "\": a build in the cloud takes a directory");
    co_return leave(exit_status::usage);
  }
  if (!remove_old_outcome(arguments, terminal)) co_return leave(exit_status::usage);

  diagnostics why;
  const auto google = google_client(executor, global, arguments.cloud.project, why);
  if (!google) co_return leave(report(terminal, google.error(), why));
  auto [unknown, project] = co_await gcp::async_project_id(*google, why, no_throw);
  if (unknown) co_return leave(report(terminal, unknown, why));
  options->where.project = std::move(project);

  int status = 0;
  auto context = co_await open_context(executor, context_of(arguments), archive::ignore_mode::buildkit,
                                       terminal, status);
  if (!context) co_return status;
  options->request.dockerfile = context->dockerfile_name();
  auto [unread, content_hash] = co_await archive::async_content_hash(executor, *context, why, no_throw);
  if (unread) co_return report_unsent(terminal, unread, why);
  options->content_name = "context/sha256-" + content_hash + ".tar.gz";

  progress_display display(executor, shown_as(arguments.progress, arguments.quiet), "Building", terminal);
  gcp::source_factory source = packings_of(std::move(*context), std::move(content_hash));
  progress::event_sink sink = display.sink();
  auto [code, built] = co_await gcp::async_build(*google, std::move(source), std::move(*options),
                                                 std::move(sink), why, no_throw);
  display.finish(code);
  if (code) {
    const failed_step* step = why.step();
    if (arguments.quiet && step != nullptr) terminal.lines(step->log_tail);
    co_return leave(report(terminal, code, why));
  }
  made_image image;
  if (!built.images.empty()) image.manifest_digest = built.images.front().digest;
  bool written = write_iidfile(arguments, image.manifest_digest, terminal);
  written = write_metadata(arguments, image, terminal) && written;
  terminal.out(image.manifest_digest + "\n");
  co_return leave(written && terminal.intact() ? exit_status::done : exit_status::failed);
}

}  // namespace dockline::tool
