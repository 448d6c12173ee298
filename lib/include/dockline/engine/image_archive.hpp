#pragma once

// Images as tar archives: GET /images/get, POST /images/load, and POST /images/create from a tar of files.

#include "dockline/core/byte_source.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/progress/event.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// Which form of the images is saved.
struct image_save_options {
  image_save_options() = default;

  // "linux/arm64", of an image that has several. Empty: as the daemon likes. Since API 1.48.
  std::string platform;
};

// Which images of an archive are loaded.
struct image_load_options {
  image_load_options() = default;

  std::string platform;  // which of the archive's platforms to load. Empty: all. Since API 1.48
  bool quiet = false;    // the daemon tells no progress of the layers
};

// What a load brought.
struct loaded_images {
  loaded_images() = default;

  std::vector<std::string> references;  // "busybox:latest"
  std::vector<std::string> ids;         // "sha256:…", of images that have no name
};

// What an import makes of a tar.
struct image_import_options {
  image_import_options() = default;

  std::string reference;             // the name that it gets: "app:1". Empty: none
  std::string message;               // the comment in the history
  std::vector<std::string> changes;  // instructions: "CMD [\"/app\"]", "ENV A=1"
  std::string platform;              // "linux/arm64". Since API 1.32
};

DOCKLINE_API void start_image_save(client daemon, std::vector<std::string> names, image_save_options options,
                                   diagnostics* why,
                                   completion_handler<std::shared_ptr<byte_source>> handler);
DOCKLINE_API void start_image_load(client daemon, std::shared_ptr<byte_source> tar,
                                   image_load_options options, progress::event_sink on_event,
                                   diagnostics* why, completion_handler<loaded_images> handler);
DOCKLINE_API void start_image_import(client daemon, std::shared_ptr<byte_source> tar,
                                     image_import_options options, progress::event_sink on_event,
                                     diagnostics* why, completion_handler<std::string> handler);

// Opens the tar of images, with all their layers and names, as `docker save` writes it.
//
// Completion: when the daemon has begun to answer. The bytes come as they are read from the source, no
// faster; dropping the source closes the connection.
// Signature: void(error_code, std::shared_ptr<byte_source>).
// Lifetimes: `why` stays until completion; the source keeps what it needs, and is read on any executor.
// Cancellation: any type, at once.
// Errors: errc::invalid_argument without a name, or for a platform that is not OS/ARCH or OS/ARCH/VARIANT;
// errc::not_found; errc::unsupported_parameter for `platform` before API 1.48; those of async_ping. Of a read of
// the source: errc::connection_lost, errc::malformed_http; no deadline holds. A read that was cancelled ends the
// source.
// Source: Docker Engine API, ImageGetAll, since 1.0.
// Example: tools/commands/save.cpp.
template <class Token = default_token>
auto async_image_save(const client& daemon, std::vector<std::string> names, image_save_options options,
                      diagnostics& why, Token&& token = {}) {
  return initiate<std::shared_ptr<byte_source>>(&start_image_save, std::forward<Token>(token), &why, daemon,
                                                std::move(names), std::move(options));
}
template <class Token = default_token>
auto async_image_save(const client& daemon, std::vector<std::string> names, image_save_options options,
                      Token&& token = {}) {
  return initiate<std::shared_ptr<byte_source>>(&start_image_save, std::forward<Token>(token), nullptr,
                                                daemon, std::move(names), std::move(options));
}

// Loads the images of a tar that image_save or `docker save` wrote, compressed or not.
//
// Completion: when the daemon has loaded all of it. A failure inside the answer's 200 is one, and so is an
// answer that names no image.
// Signature: void(error_code, loaded_images).
// Lifetimes: `why` stays until completion; the rest is kept. `on_event` may be empty; it gets
// progress::layer_progress, progress::step_log with the daemon's other lines, and progress::image_loaded.
// Cancellation: any type; the connection is closed. Images that were loaded by then stay.
// Errors: errc::invalid_argument without a tar, or for a platform that is not OS/ARCH or OS/ARCH/VARIANT;
// errc::operation_failed and errc::service_failed when the archive is none; errc::no_outcome for an answer that
// names no image; errc::unsupported_parameter for `platform` before API 1.48; the source's own; those of
// async_ping; errc::malformed_json.
// Source: Docker Engine API, ImageLoad, since 1.0.
// Example: tools/commands/load.cpp.
template <class Token = default_token>
auto async_image_load(const client& daemon, std::shared_ptr<byte_source> tar, image_load_options options,
                      progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<loaded_images>(&start_image_load, std::forward<Token>(token), &why, daemon, std::move(tar),
                                 std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_image_load(const client& daemon, std::shared_ptr<byte_source> tar, image_load_options options,
                      progress::event_sink on_event, Token&& token = {}) {
  return initiate<loaded_images>(&start_image_load, std::forward<Token>(token), nullptr, daemon,
                                 std::move(tar), std::move(options), std::move(on_event));
}

// Makes an image of one layer from a tar of files.
//
// Completion: when the daemon has told the image's id ("sha256:…").
// Signature: void(error_code, std::string).
// Lifetimes: `why` stays until completion; the rest is kept. `on_event` may be empty; it gets
// progress::layer_progress and progress::image_loaded.
// Cancellation: any type; the connection is closed.
// Errors: errc::invalid_argument without a tar, or for a reference with a digest; errc::invalid_reference, like
// these before the tar is sent; errc::operation_failed; errc::no_outcome; errc::unsupported_parameter for
// `platform` before API 1.32; the source's own; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ImageCreate with fromSrc=-, since 1.0.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_image_import(const client& daemon, std::shared_ptr<byte_source> tar, image_import_options options,
                        progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<std::string>(&start_image_import, std::forward<Token>(token), &why, daemon, std::move(tar),
                               std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_image_import(const client& daemon, std::shared_ptr<byte_source> tar, image_import_options options,
                        progress::event_sink on_event, Token&& token = {}) {
  return initiate<std::string>(&start_image_import, std::forward<Token>(token), nullptr, daemon,
                               std::move(tar), std::move(options), std::move(on_event));
}

}  // namespace dockline::engine
