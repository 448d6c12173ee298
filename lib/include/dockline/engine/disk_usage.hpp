#pragma once

// What takes how much of the daemon's disk: GET /system/df.

#include "dockline/engine/build_cache.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/image_list.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// What of the daemon's disk is looked at.
struct disk_usage_options {
  disk_usage_options() = default;

  // What to look at: "container", "image", "volume", "build-cache". Empty: all. Since API 1.42
  std::vector<std::string> types;
};

// A volume, and what it takes.
struct volume_usage {
  volume_usage() = default;

  std::string name;                           // 64 hexadecimal digits for one that has no name
  std::string driver;                         // "local"
  std::string mountpoint;                     // where it is on the daemon's host
  std::map<std::string, std::string> labels;  // its metadata
  std::int64_t size = -1;                     // bytes; -1: not known
  std::int64_t ref_count = -1;                // containers that use it; -1: not known
};

// What the daemon holds on disk.
struct disk_usage {
  disk_usage() = default;

  std::int64_t layers_size = 0;                 // bytes of all layers, each counted once
  std::vector<image_summary> images;            // every image, with its size
  std::vector<container_summary> containers;    // with their sizes
  std::vector<volume_usage> volumes;            // with what they take
  std::vector<build_cache_record> build_cache;  // BuildKit's
};

DOCKLINE_API void start_disk_usage(client daemon, disk_usage_options options, diagnostics* why,
                                   completion_handler<disk_usage> handler);

// Adds up what the daemon holds on disk. It may take the daemon seconds.
//
// Completion: when the answer is there.
// Signature: void(error_code, disk_usage).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once.
// Errors: errc::service_failed while another such request runs, from dockerd before 23;
// errc::unsupported_parameter for `types` before API 1.42; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, SystemDataUsage, since 1.25.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_disk_usage(const client& daemon, disk_usage_options options, diagnostics& why,
                      Token&& token = {}) {
  return initiate<disk_usage>(&start_disk_usage, std::forward<Token>(token), &why, daemon,
                              std::move(options));
}
template <class Token = default_token>
auto async_disk_usage(const client& daemon, disk_usage_options options, Token&& token = {}) {
  return initiate<disk_usage>(&start_disk_usage, std::forward<Token>(token), nullptr, daemon,
                              std::move(options));
}

}  // namespace dockline::engine
