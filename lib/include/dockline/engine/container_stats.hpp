#pragma once

// What a container uses: GET /containers/{id}/stats.

#include "dockline/engine/client.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace dockline::engine {

// How many samples are taken.
struct stats_options {
  stats_options() = default;

  bool stream = true;  // one a second until the container is gone; else a single one
  // Do not wait for a second sample, so that cpu_percent stays 0. Only where `stream` is false. Since API 1.41.
  bool one_shot = false;
};

// A sample of what a container uses.
struct container_stats {
  container_stats() = default;

  std::string read;                       // RFC 3339; year 1 when the container does not run
  double cpu_percent = 0;                 // since the sample before; 100 is one CPU
  std::uint64_t cpu_total = 0;            // nanoseconds so far
  std::int64_t online_cpus = 0;           // CPUs that the container may use
  std::uint64_t memory_usage = 0;         // bytes, without what the kernel would drop from its cache first
  std::uint64_t memory_limit = 0;         // bytes
  std::uint64_t network_received = 0;     // bytes, all interfaces
  std::uint64_t network_transmitted = 0;  // bytes
  std::uint64_t block_read = 0;           // bytes
  std::uint64_t block_written = 0;        // bytes
  std::int64_t pids = 0;                  // processes and threads
  std::string raw;                        // the sample as the daemon sent it: JSON
};

// Called for each sample, in order, on the operation's executor. It may not block, nor throw.
using stats_sink = std::function<void(const container_stats&)>;

DOCKLINE_API void start_container_stats(client daemon, std::string id, stats_options options,
                                        stats_sink on_sample, diagnostics* why,
                                        completion_handler<void> handler);

// Hands samples of what a container uses to `on_sample`.
//
// Completion: after a single sample, or when the container is removed.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion; the rest is kept.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::invalid_argument for `one_shot` with `stream`; errc::not_found; errc::unsupported_parameter for
// `one_shot` before API 1.41; errc::malformed_json; errc::message_too_long for a sample above 16 MiB; those of
// async_ping.
// Source: Docker Engine API, ContainerStats, since 1.17.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_container_stats(const client& daemon, std::string id, stats_options options, stats_sink on_sample,
                           diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_container_stats, std::forward<Token>(token), &why, daemon, std::move(id),
                        options, std::move(on_sample));
}
template <class Token = default_token>
auto async_container_stats(const client& daemon, std::string id, stats_options options, stats_sink on_sample,
                           Token&& token = {}) {
  return initiate<void>(&start_container_stats, std::forward<Token>(token), nullptr, daemon, std::move(id),
                        options, std::move(on_sample));
}

}  // namespace dockline::engine
