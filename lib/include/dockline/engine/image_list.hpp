#pragma once

// Many images at once: GET /images/json, POST /images/prune, GET /images/search.

#include "dockline/engine/client.hpp"
#include "dockline/engine/filters.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// Which images are listed, and what is told of them.
struct image_list_options {
  image_list_options() = default;

  bool all = false;          // with the layers in between, which have no name
  bool shared_size = false;  // tell image_summary::shared_size. Since API 1.42
  // "dangling", "label", "before", "since", "reference", "until" (since API 1.47).
  filter_map filters;
};

// A row of the list. An image without a name is there once, an image with several names as well.
struct image_summary {
  image_summary() = default;

  std::string id;                             // "sha256:" and 64 hexadecimal digits
  std::string parent_id;                      // of the image that it was made from; empty: none, or not known
  std::vector<std::string> repo_tags;         // "app:1"; empty for an image without a name
  std::vector<std::string> repo_digests;      // "app@sha256:…"
  std::int64_t created = 0;                   // seconds since 1970
  std::int64_t size = 0;                      // bytes, with the layers that others share
  std::int64_t shared_size = -1;              // bytes of layers that others share; -1: not known
  std::int64_t containers = -1;               // that use it; -1: not known
  std::map<std::string, std::string> labels;  // what LABEL set
};

// What a prune may remove.
struct image_prune_options {
  image_prune_options() = default;

  bool all = false;  // every image that no container uses, not only those without a name
  // "until" (a time or a duration: "24h"); "label" and "label!", since API 1.29.
  filter_map filters;
};

// What a prune removed.
struct images_pruned {
  images_pruned() = default;

  std::vector<std::string> untagged;  // references
  std::vector<std::string> deleted;   // ids
  std::int64_t space_reclaimed = 0;   // bytes
};

// What a search is narrowed to.
struct image_search_options {
  image_search_options() = default;

  int limit = 0;       // most rows; 0: as the daemon likes (25)
  filter_map filters;  // "is-official", "stars"
};

// What the registry's search says of a repository.
struct found_image {
  found_image() = default;

  std::string name;         // "library/busybox"
  std::string description;  // what its owner wrote of it
  std::int64_t stars = 0;   // people who marked it; star_count of the API
  bool official = false;    // one of Docker Hub's own; is_official of the API
};

DOCKLINE_API void start_image_list(client daemon, image_list_options options, diagnostics* why,
                                   completion_handler<std::vector<image_summary>> handler);
DOCKLINE_API void start_image_prune(client daemon, image_prune_options options, diagnostics* why,
                                    completion_handler<images_pruned> handler);
DOCKLINE_API void start_image_search(client daemon, std::string term, image_search_options options,
                                     diagnostics* why, completion_handler<std::vector<found_image>> handler);

// Lists the images that the daemon has.
//
// Completion: when the answer is there.
// Signature: void(error_code, std::vector<image_summary>).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::bad_request for a filter that the daemon does not know; errc::unsupported_parameter; those of
// async_ping; errc::malformed_json.
// Source: Docker Engine API, ImageList, since 1.0.
// Example: tools/commands/images.cpp.
template <class Token = default_token>
auto async_image_list(const client& daemon, image_list_options options, diagnostics& why,
                      Token&& token = {}) {
  return initiate<std::vector<image_summary>>(&start_image_list, std::forward<Token>(token), &why, daemon,
                                              std::move(options));
}
template <class Token = default_token>
auto async_image_list(const client& daemon, image_list_options options, Token&& token = {}) {
  return initiate<std::vector<image_summary>>(&start_image_list, std::forward<Token>(token), nullptr, daemon,
                                              std::move(options));
}

// Removes the images that nothing uses: those without a name or, when asked for, all.
//
// Completion: when they are removed.
// Signature: void(error_code, images_pruned).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; what the daemon has removed by then is gone.
// Errors: errc::bad_request for a filter that the daemon does not know; errc::conflict while another prune
// runs; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ImagePrune, since 1.25.
// Example: tools/commands/prune.cpp.
template <class Token = default_token>
auto async_image_prune(const client& daemon, image_prune_options options, diagnostics& why,
                       Token&& token = {}) {
  return initiate<images_pruned>(&start_image_prune, std::forward<Token>(token), &why, daemon,
                                 std::move(options));
}
template <class Token = default_token>
auto async_image_prune(const client& daemon, image_prune_options options, Token&& token = {}) {
  return initiate<images_pruned>(&start_image_prune, std::forward<Token>(token), nullptr, daemon,
                                 std::move(options));
}

// Asks the daemon's registry (Docker Hub, or the one that `term` begins with) for repositories.
//
// Completion: when the answer is there.
// Signature: void(error_code, std::vector<found_image>).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once.
// Errors: errc::service_failed, or errc::bad_request of a newer dockerd, when the registry cannot be reached; those of async_ping;
// errc::malformed_json.
// Source: Docker Engine API, ImageSearch, since 1.0.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_image_search(const client& daemon, std::string term, image_search_options options,
                        diagnostics& why, Token&& token = {}) {
  return initiate<std::vector<found_image>>(&start_image_search, std::forward<Token>(token), &why, daemon,
                                            std::move(term), std::move(options));
}
template <class Token = default_token>
auto async_image_search(const client& daemon, std::string term, image_search_options options,
                        Token&& token = {}) {
  return initiate<std::vector<found_image>>(&start_image_search, std::forward<Token>(token), nullptr, daemon,
                                            std::move(term), std::move(options));
}

}  // namespace dockline::engine
