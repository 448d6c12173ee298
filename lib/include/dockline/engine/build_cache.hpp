#pragma once

// BuildKit's cache and builds: POST /build/prune, POST /build/cancel.

#include "dockline/engine/client.hpp"
#include "dockline/engine/filters.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// A piece of BuildKit's cache.
struct build_cache_record {
  build_cache_record() = default;

  std::string id;                // BuildKit's: "u9gcd8xm8mzrmzgljiscw17nl"
  std::string type;              // "regular", "source.local", "exec.cachemount", …
  std::string description;       // "mount / from exec /bin/sh -c make"
  bool in_use = false;           // a build is using it
  bool shared = false;           // an image uses it as well
  std::int64_t size = 0;         // bytes
  std::int64_t usage_count = 0;  // builds that took it from the cache
  std::string created_at;        // RFC 3339
  std::string last_used_at;      // RFC 3339; empty: never
};

// What a prune may remove.
struct build_prune_options {
  build_prune_options() = default;

  bool all = false;    // also what images still share
  filter_map filters;  // "until", "id", "parent", "type", "description", "inuse", "shared", "private"
  // How many bytes of cache stay at least; 0: none. Sent as keep-storage before API 1.48.
  std::int64_t reserved_space = 0;
  std::int64_t max_used_space = 0;  // most bytes that the cache may take; 0: no bound. Since API 1.48
  std::int64_t min_free_space = 0;  // bytes of the disk to be free afterwards; 0: no bound. Since API 1.48
};

// What a prune removed.
struct build_cache_pruned {
  build_cache_pruned() = default;

  std::vector<std::string> ids;      // of the records; CachesDeleted of the API
  std::int64_t space_reclaimed = 0;  // bytes
};

DOCKLINE_API void start_build_prune(client daemon, build_prune_options options, diagnostics* why,
                                    completion_handler<build_cache_pruned> handler);
DOCKLINE_API void start_build_cancel(client daemon, std::string build_id, diagnostics* why,
                                     completion_handler<void> handler);

// Removes what no build uses from BuildKit's cache. podman has no such cache and answers with 404.
//
// Completion: when it is removed.
// Signature: void(error_code, build_cache_pruned).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; what is removed by then is gone.
// Errors: errc::unsupported_parameter before API 1.31, and for the newer bounds before 1.48; errc::not_found from
// podman; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, BuildPrune, since 1.31.
// Example: tools/commands/prune.cpp.
template <class Token = default_token>
auto async_build_prune(const client& daemon, build_prune_options options, diagnostics& why,
                       Token&& token = {}) {
  return initiate<build_cache_pruned>(&start_build_prune, std::forward<Token>(token), &why, daemon,
                                      std::move(options));
}
template <class Token = default_token>
auto async_build_prune(const client& daemon, build_prune_options options, Token&& token = {}) {
  return initiate<build_cache_pruned>(&start_build_prune, std::forward<Token>(token), nullptr, daemon,
                                      std::move(options));
}

// Ends the BuildKit build that was started with this build_options::build_id. The classic builder takes no
// notice; there, only closing the build's connection helps.
//
// Completion: when the daemon has taken note, also of an id that it does not know.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; it may have been cancelled all the same.
// Errors: errc::invalid_argument without an id; errc::unsupported_parameter before API 1.39; errc::not_found from
// podman; those of async_ping.
// Source: moby, POST /build/cancel, since 1.39; not in the API's description.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_build_cancel(const client& daemon, std::string build_id, diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_build_cancel, std::forward<Token>(token), &why, daemon, std::move(build_id));
}
template <class Token = default_token>
auto async_build_cancel(const client& daemon, std::string build_id, Token&& token = {}) {
  return initiate<void>(&start_build_cancel, std::forward<Token>(token), nullptr, daemon,
                        std::move(build_id));
}

}  // namespace dockline::engine
