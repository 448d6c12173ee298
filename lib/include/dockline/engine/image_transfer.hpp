#pragma once

// Images to and from registries: POST /images/{name}/push, POST /images/create.

#include "dockline/engine/client.hpp"
#include "dockline/engine/registry_auth.hpp"
#include "dockline/progress/event.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// How an image is pushed.
struct push_options {
  push_options() = default;

  registry_auth auth;     // for the registry that the image's name begins with
  bool all_tags = false;  // every tag that the repository has here; the name then has none
  std::string platform;   // "linux/arm64", of an image that has several. Empty: all. Since API 1.46
};

// A tag that the registry has now.
struct pushed_tag {
  pushed_tag() = default;

  std::string tag;        // "1"; never with the repository
  std::string digest;     // "sha256:…", by which the registry knows what was pushed
  std::int64_t size = 0;  // bytes of the manifest
};

// What a push brought to the registry.
struct pushed_image {
  pushed_image() = default;

  std::vector<pushed_tag> tags;  // at least one
};

// How an image is pulled.
struct pull_options {
  pull_options() = default;

  registry_auth auth;     // for the registry that the image's name begins with
  bool all_tags = false;  // every tag that the repository has there; the name then has none
  std::string platform;   // "linux/arm64". Empty: the daemon's own. Since API 1.32
};

// What a pull brought.
struct pulled_image {
  pulled_image() = default;

  std::string id;      // "sha256:…" of the image that has the name now; empty after all_tags
  std::string digest;  // "sha256:…", by which the registry knows it; empty where podman knows several
};

DOCKLINE_API void start_image_push(client daemon, std::string name, push_options options,
                                   progress::event_sink on_event, diagnostics* why,
                                   completion_handler<pushed_image> handler);
DOCKLINE_API void start_image_pull(client daemon, std::string name, pull_options options,
                                   progress::event_sink on_event, diagnostics* why,
                                   completion_handler<pulled_image> handler);

// Pushes an image to the registry that its name begins with ("127.0.0.1:5000/app:1"; Docker Hub without one).
// Without a tag "latest" is pushed.
//
// Completion: when the registry has it, or the push failed, which an error inside the answer's 200 means as
// well.
// Signature: void(error_code, pushed_image).
// Lifetimes: `why` stays until completion; the rest is kept. `on_event` may be empty; it gets
// progress::layer_progress, progress::warning and, for each tag, progress::transfer_finished.
// Cancellation: any type. The connection is closed, upon which the daemon stops (podman at the end of the
// layer); layers that the registry has by then stay there.
// Errors: before that request is sent errc::invalid_reference, errc::invalid_argument for a name with a digest,
// for a tag together with `all_tags`, and for a platform that is not OS/ARCH or OS/ARCH/VARIANT, and
// errc::unsupported_parameter for `platform` before API 1.46; errc::not_found without such an image here;
// errc::unauthorized, errc::denied and errc::not_found as the registry says; errc::operation_failed for every
// other failure; errc::no_outcome for an answer without a digest; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ImagePush, since 1.0.
// Example: docs/guide/registries.md.
template <class Token = default_token>
auto async_image_push(const client& daemon, std::string name, push_options options,
                      progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<pushed_image>(&start_image_push, std::forward<Token>(token), &why, daemon, std::move(name),
                                std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_image_push(const client& daemon, std::string name, push_options options,
                      progress::event_sink on_event, Token&& token = {}) {
  return initiate<pushed_image>(&start_image_push, std::forward<Token>(token), nullptr, daemon,
                                std::move(name), std::move(options), std::move(on_event));
}

// Pulls an image by tag ("latest" without one) or by digest.
//
// Completion: when the daemon has it, or the pull failed, which an error inside the answer's 200 means as
// well.
// Signature: void(error_code, pulled_image).
// Lifetimes: `why` stays until completion; the rest is kept. `on_event` may be empty; it gets
// progress::layer_progress and progress::transfer_finished.
// Cancellation: any type. The connection is closed, upon which the daemon stops; layers that it has by then stay.
// Errors: before that request is sent errc::invalid_reference, errc::invalid_argument for a tag together with
// `all_tags`, and errc::unsupported_parameter for `platform` before API 1.32; errc::not_found,
// errc::unauthorized, errc::denied as the registry says; errc::operation_failed and errc::service_failed for
// every other failure (a registry that cannot be reached); errc::no_outcome for an answer that tells no end;
// those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ImageCreate, since 1.0.
// Example: tools/commands/pull.cpp.
template <class Token = default_token>
auto async_image_pull(const client& daemon, std::string name, pull_options options,
                      progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<pulled_image>(&start_image_pull, std::forward<Token>(token), &why, daemon, std::move(name),
                                std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_image_pull(const client& daemon, std::string name, pull_options options,
                      progress::event_sink on_event, Token&& token = {}) {
  return initiate<pulled_image>(&start_image_pull, std::forward<Token>(token), nullptr, daemon,
                                std::move(name), std::move(options), std::move(on_event));
}

}  // namespace dockline::engine
