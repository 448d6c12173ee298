#include "commands/cloud_arguments.hpp"

#include "commands/build_arguments.hpp"
#include "option_forms.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <utility>

namespace dockline::tool {
namespace {

// An option, whether it was given, and why it cannot be had.
struct misfit {
  misfit(std::string_view name, bool is_given, std::string_view reason)
      : option(name), given(is_given), why(reason) {}

  std::string_view option;
  bool given;
  std::string_view why;
};

std::string first_of(const std::vector<misfit>& all) {
  for (const auto& one : all) {
    if (one.given) return std::string(one.option) + ": " + std::string(one.why);
  }
  return {};
}

}  // namespace

void declare_cloud(CLI::App& command, cloud_arguments& arguments) {
  add_one(command, "--image-build-bucket", arguments.bucket, "BUCKET",
          "Build with Google Cloud Build, by way of this bucket");
  add_one(command, "--bucket-location", arguments.bucket_location, "LOCATION",
          "Where it is made if there is none: EU, us-central1 (the build's region)");
  add_one(command, "--project", arguments.project, "ID", "Google's project to build in");
  add_one(command, "--region", arguments.region, "REGION",
          "Cloud Build's region: europe-west1 (the pool's, else global)");
  add_one(command, "--machine-type", arguments.machine_type, "TYPE",
          "Cloud Build's machine: E2_MEDIUM, E2_HIGHCPU_32 (E2_HIGHCPU_8)");
  add_one(command, "--disk-size", arguments.disk_size_gb, "GB", "Its disk");
  add_one(command, "--worker-pool", arguments.worker_pool, "POOL",
          "A private pool: projects/P/locations/REGION/workerPools/NAME");
  add_one(command, "--service-account", arguments.service_account, "EMAIL", "Who builds there");
  add_one(command, "--logs-bucket", arguments.logs_bucket, "BUCKET[/FOLDER]",
          "Where the log goes (the bucket of the build)");
  add_one(command, "--build-timeout", arguments.build_timeout, "TIME",
          "For the build once it runs: 90s, 20m, 2h");
  add_one(command, "--queue-timeout", arguments.queue_timeout, "TIME", "For the build until it runs");
  add_one(command, "--wait-timeout", arguments.wait_timeout, "TIME",
          "How long to wait for the build (until it is over)");
  add_one(command, "--on-wait-timeout", arguments.on_wait_timeout, "cancel|leave",
          "What becomes of the build then (cancel)")
      ->transform(CLI::IsMember({"cancel", "leave"}).description(""));
  add_many(command, "--build-tag", arguments.build_tags, "TAG", "On the build, for Cloud Build's list");
  add_many(command, "--substitution", arguments.substitutions, "_NAME=VALUE",
           "On the build, for what looks at it: triggers, notifications");
}

std::string why_not(const build_arguments& arguments, const global_options& global) {
  const cloud_arguments& cloud = arguments.cloud;
  if (cloud.bucket.empty()) {
    constexpr std::string_view why = "is for builds with --image-build-bucket";
    return first_of({{"--bucket-location", !cloud.bucket_location.empty(), why},
                     {"--project", !cloud.project.empty(), why},
                     {"--region", !cloud.region.empty(), why},
                     {"--machine-type", !cloud.machine_type.empty(), why},
                     {"--disk-size", cloud.disk_size_gb != 0, why},
                     {"--worker-pool", !cloud.worker_pool.empty(), why},
                     {"--service-account", !cloud.service_account.empty(), why},
                     {"--logs-bucket", !cloud.logs_bucket.empty(), why},
                     {"--build-timeout", !cloud.build_timeout.empty(), why},
                     {"--queue-timeout", !cloud.queue_timeout.empty(), why},
                     {"--wait-timeout", !cloud.wait_timeout.empty(), why},
                     {"--on-wait-timeout", !cloud.on_wait_timeout.empty(), why},
                     {"--build-tag", !cloud.build_tags.empty(), why},
                     {"--substitution", !cloud.substitutions.empty(), why}});
  }
  constexpr std::string_view no_daemon = "nothing is asked of a daemon with --image-build-bucket";
  constexpr std::string_view machine = "Cloud Build has whole machines; choose one with --machine-type";
  constexpr std::string_view session = "takes a session with the builder, which Cloud Build does not give";
  constexpr std::string_view buildkit = "is of the classic builder; Cloud Build uses BuildKit here";
  return first_of({{"--tag", arguments.tags.empty(),
                    "Cloud Build pushes the image, so it needs a name: gcr.io/PROJECT/NAME"},
                   {"--machine-type", !cloud.machine_type.empty() && !cloud.worker_pool.empty(),
                    "a private pool has machines of its own (--worker-pool)"},
                   {"--on-wait-timeout", !cloud.on_wait_timeout.empty() && cloud.wait_timeout.empty(),
                    "needs the limit that it is about, --wait-timeout"},
                   {"--host", !global.host.empty(), no_daemon},
                   {"--context", !global.context.empty(), no_daemon},
                   {"--secret", !arguments.secrets.empty(), session},
                   {"--ssh", !arguments.ssh.empty(), session},
                   {"--output", !arguments.output.empty(), session},
                   {"--load", arguments.load, "the image goes to its registry; pull it from there"},
                   {"--cache-to", !arguments.cache_to.empty(),
                    "is not needed: the image that is pushed holds its cache, for --cache-from"},
                   {"--builder classic", arguments.builder == "classic", buildkit},
                   {"--memory", !arguments.memory.empty(), machine},
                   {"--memory-swap", !arguments.memory_swap.empty(), machine},
                   {"--shm-size", !arguments.shm_size.empty(), machine},
                   {"--ulimit", !arguments.ulimits.empty(), machine},
                   {"--cpu-shares", arguments.cpu_shares != 0, machine},
                   {"--cpu-period", arguments.cpu_period != 0, machine},
                   {"--cpu-quota", arguments.cpu_quota != 0, machine},
                   {"--cpuset-cpus", !arguments.cpuset_cpus.empty(), machine},
                   {"--cpuset-mems", !arguments.cpuset_mems.empty(), machine},
                   {"--cgroup-parent", !arguments.cgroup_parent.empty(), machine},
                   {"--rm=false", !arguments.remove, buildkit},
                   {"--force-rm=false", !arguments.force_remove, buildkit},
                   {"--squash", arguments.squash, buildkit},
                   {"--compression none", arguments.context.compression == "none",
                    "Cloud Build takes a source with gzip"}});
}

std::string bucket_name_of(std::string_view text) {
  constexpr std::string_view prefix = "gs://";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, number);
  // A year is longer than anything that builds.
  if (code != std::errc() || number <= 0 || number > 366 * 24 * 3600) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (unit.empty() || unit == "s") return std::chrono::seconds(number);
  if (unit == "m") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  return std::nullopt;
}

}  // namespace dockline::tool
