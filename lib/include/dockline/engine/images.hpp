#pragma once

// One image that the daemon has: GET /images/{name}/json and /history, POST /images/{name}/tag,
// DELETE /images/{name}.

#include "dockline/engine/client.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// How a container of the image starts when nothing else is asked for.
struct image_config {
  image_config() = default;

  std::vector<std::string> entrypoint;  // the program and its first arguments; empty: cmd has the program
  std::vector<std::string> cmd;         // the arguments that a container's own replace
  std::vector<std::string> env;         // "NAME=value"
  std::string working_dir;              // "/app"; empty: "/"
  std::string user;                     // "1000:1000", "nobody"; empty: root
  std::string stop_signal;              // "SIGTERM"; empty: that one
  std::map<std::string, std::string> labels;  // what LABEL set
  std::vector<std::string> exposed_ports;     // "80/tcp"
  std::vector<std::string> volumes;           // the paths that VOLUME set
};

// What the daemon knows of one image.
struct image_info {
  image_info() = default;

  std::string id;                         // "sha256:" and 64 hexadecimal digits
  std::vector<std::string> repo_tags;     // "app:1"
  std::vector<std::string> repo_digests;  // "app@sha256:…", where it was pushed or pulled
  std::string created;                    // RFC 3339
  std::string architecture;               // "amd64"
  std::string os;                         // "linux"
  std::int64_t size = 0;                  // bytes
  image_config config;                    // how a container of it starts
  std::vector<std::string> layers;        // digests of the uncompressed layers, lowest first
  // What the id of an image is, the daemon's store decides: in the older one the digest of its configuration, in
  // containerd's that of its manifest, or of the index of several.
  std::string config_digest;    // "sha256:…"; empty where the daemon does not tell
  std::string manifest_digest;  // "sha256:…"; of an image in the older store, empty
  std::string raw;              // the daemon's answer as it came: JSON
};

// A step of an image's history.
struct image_layer {
  image_layer() = default;

  std::string id;                 // "sha256:…", or "<missing>" where the step was not built here
  std::int64_t created = 0;       // seconds since 1970
  std::string created_by;         // "/bin/sh -c #(nop)  CMD [\"sh\"]"
  std::vector<std::string> tags;  // names of the image that ends with this step
  std::int64_t size = 0;          // bytes that the step added
  std::string comment;            // "buildkit.dockerfile.v0", or what its maker wrote
};

// How an image is removed.
struct image_remove_options {
  image_remove_options() = default;

  bool force = false;         // also when a stopped container uses it or it has several tags
  bool keep_parents = false;  // do not remove untagged parents
};

// What a removal took away.
struct image_removed {
  image_removed() = default;

  std::vector<std::string> untagged;  // references
  std::vector<std::string> deleted;   // ids
};

DOCKLINE_API void start_image_inspect(client daemon, std::string name, diagnostics* why,
                                      completion_handler<image_info> handler);
DOCKLINE_API void start_image_history(client daemon, std::string name, diagnostics* why,
                                      completion_handler<std::vector<image_layer>> handler);
DOCKLINE_API void start_image_tag(client daemon, std::string name, std::string reference, diagnostics* why,
                                  completion_handler<void> handler);
DOCKLINE_API void start_image_remove(client daemon, std::string name, image_remove_options options,
                                     diagnostics* why, completion_handler<image_removed> handler);

// Reads what the daemon knows of an image, named by reference or id.
//
// Completion: when the answer is there.
// Signature: void(error_code, image_info).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::not_found; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ImageInspect, since 1.0.
// Example: docs/guide/embedding.md.
template <class Token = default_token>
auto async_image_inspect(const client& daemon, std::string name, diagnostics& why, Token&& token = {}) {
  return initiate<image_info>(&start_image_inspect, std::forward<Token>(token), &why, daemon,
                              std::move(name));
}
template <class Token = default_token>
auto async_image_inspect(const client& daemon, std::string name, Token&& token = {}) {
  return initiate<image_info>(&start_image_inspect, std::forward<Token>(token), nullptr, daemon,
                              std::move(name));
}

// Reads how an image came to be, its newest layer first.
//
// Completion: when the answer is there.
// Signature: void(error_code, std::vector<image_layer>).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::not_found; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ImageHistory, since 1.0.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_image_history(const client& daemon, std::string name, diagnostics& why, Token&& token = {}) {
  return initiate<std::vector<image_layer>>(&start_image_history, std::forward<Token>(token), &why, daemon,
                                            std::move(name));
}
template <class Token = default_token>
auto async_image_history(const client& daemon, std::string name, Token&& token = {}) {
  return initiate<std::vector<image_layer>>(&start_image_history, std::forward<Token>(token), nullptr, daemon,
                                            std::move(name));
}

// Gives an image, named by reference or id, a further name. An image that had that name loses it.
//
// Completion: when it has the name.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; it may have the name all the same.
// Errors: errc::invalid_reference and errc::invalid_argument (a digest cannot be given) before anything is
// sent; errc::not_found; errc::conflict; those of async_ping.
// Source: Docker Engine API, ImageTag, since 1.0.
// Example: docs/guide/registries.md.
template <class Token = default_token>
auto async_image_tag(const client& daemon, std::string name, std::string reference, diagnostics& why,
                     Token&& token = {}) {
  return initiate<void>(&start_image_tag, std::forward<Token>(token), &why, daemon, std::move(name),
                        std::move(reference));
}
template <class Token = default_token>
auto async_image_tag(const client& daemon, std::string name, std::string reference, Token&& token = {}) {
  return initiate<void>(&start_image_tag, std::forward<Token>(token), nullptr, daemon, std::move(name),
                        std::move(reference));
}

// Removes a reference and, with the last one, the image.
//
// Completion: when the daemon has removed it.
// Signature: void(error_code, image_removed).
// Lifetimes: `why` stays until completion.
// Cancellation: any type; the daemon may have removed it all the same.
// Errors: errc::not_found; errc::conflict when a container uses it; those of async_ping;
// errc::malformed_json.
// Source: Docker Engine API, ImageDelete, since 1.0.
// Example: tools/commands/rmi.cpp.
template <class Token = default_token>
auto async_image_remove(const client& daemon, std::string name, image_remove_options options,
                        diagnostics& why, Token&& token = {}) {
  return initiate<image_removed>(&start_image_remove, std::forward<Token>(token), &why, daemon,
                                 std::move(name), options);
}
template <class Token = default_token>
auto async_image_remove(const client& daemon, std::string name, image_remove_options options,
                        Token&& token = {}) {
  return initiate<image_removed>(&start_image_remove, std::forward<Token>(token), nullptr, daemon,
                                 std::move(name), options);
}

}  // namespace dockline::engine
