#pragma once

// What `build` takes for a build with Google Cloud Build, and what of the rest holds there.

#include "command.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace dockline::tool {

struct build_arguments;

// Nothing is built in the cloud unless there is a bucket.
struct cloud_arguments {
  cloud_arguments() = default;

  std::string bucket;
  std::string bucket_location;
  std::string project;
  std::string region;
  std::string machine_type;
  std::int64_t disk_size_gb = 0;
  std::string worker_pool;
  std::string service_account;
  std::string logs_bucket;
  std::string build_timeout;
  std::string queue_timeout;
  std::string wait_timeout;
  std::string on_wait_timeout;  // "cancel", "leave"; empty: cancel
  std::vector<std::string> build_tags;
  std::vector<std::string> substitutions;
};

void declare_cloud(CLI::App& command, cloud_arguments& arguments);

// Why this command line makes no sense for Cloud Build, or for a daemon; empty when it does. No one asked for
// that must be left undone in silence.
std::string why_not(const build_arguments& arguments, const global_options& global);

// The name of a bucket that may also be written gs://NAME/.
std::string bucket_name_of(std::string_view text);

// "90", "90s", "20m" or "2h"; empty for anything else.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace dockline::tool
