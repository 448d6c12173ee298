#pragma once

// What BuildKit tells of a build that runs: moby.buildkit.v1.StatusResponse.
// Source: moby/buildkit, api/services/control/control.proto and solver/pb/ops.proto.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace dockline::buildkit {

// Since 1970.
using moment = std::chrono::nanoseconds;

// A step, as far as it has come. It is told again whenever something of it is new.
struct vertex {
  vertex() = default;

  std::string_view digest;
  std::string_view name;
  bool cached = false;
  std::optional<moment> started;
  std::optional<moment> completed;
  std::string_view error;
  // Steps with the same group are one for people.
  std::string_view group;
  std::string_view group_name;
  bool group_weak = false;  // alone, it does not make the group worth showing
};

// Something within a step: a download, a transfer.
struct vertex_status {
  vertex_status() = default;

  std::string_view id;
  std::string_view vertex;
  std::int64_t current = 0;
  std::int64_t total = 0;
  std::optional<moment> timestamp;
  std::optional<moment> started;
  std::optional<moment> completed;
};

struct vertex_log {
  vertex_log() = default;

  std::string_view vertex;
  std::optional<moment> timestamp;
  std::int64_t stream = 0;
  std::string_view bytes;
};

struct vertex_warning {
  vertex_warning() = default;

  std::string_view vertex;
  std::string_view text;
  std::vector<std::string_view> details;
  std::string_view url;
  std::string_view file;
  std::int32_t first_line = 0;  // 0: not told
  std::int32_t last_line = 0;
};

// All views lie in the message.
struct build_status {
  std::vector<vertex> vertices;
  std::vector<vertex_status> statuses;
  std::vector<vertex_log> logs;
  std::vector<vertex_warning> warnings;
};

// False: it is not one.
bool read_build_status(std::string_view message, build_status& read);

}  // namespace dockline::buildkit
