#pragma once

// From bytes to an image in a registry: upload, build there, watch it live.

#include "dockline/gcp/cloud_build.hpp"
#include "dockline/gcp/storage.hpp"

#include <string>
#include <utility>
#include <vector>

namespace dockline::gcp {

// What is built with Cloud Build, and by which bucket.
struct cloud_build_options {
  cloud_build_options() = default;

  // The project and the region of the build.
  build_place where;

  // The bucket for the context, and for the log unless the request names another one. Created when it is not
  // there.
  std::string bucket;
  // Where a bucket is created: "EU", "us-central1". Empty: in the region of the build, else where Google puts it.
  std::string bucket_location;
  // Whether a bucket that is not there is created.
  bool create_bucket = true;
  // Bytes of a piece of the upload, see upload_options::piece_size.
  std::size_t piece_size = upload_options().piece_size;

  // The object's name when it says what is in it ("context/sha256-….tar.gz"): it is then not sent again when
  // it is there, and stays, since another build may be fetching it. Empty: one by chance, that is removed
  // when the build is over, however it ended; a build that is left to go on keeps it.
  std::string content_name;

  // What is built; its source is set by the operation, and tags are added to.
  build_request request;
  // How the build is waited for.
  wait_options wait;
  // Whether to return as soon as the build is created: no log is followed, and the context stays.
  bool detach = false;
};

// What Cloud Build made.
struct cloud_image {
  cloud_image() = default;

  std::vector<pushed_image> images;   // what was pushed; empty after `detach`
  build_record build;                 // the build, as it was told last
  stored_object source;               // the context's object, whether it is still there or not
  std::vector<std::string> warnings;  // all of them, also those that were events
};

DOCKLINE_API void start_cloud_build(client google, source_factory source, cloud_build_options options,
                                    progress::event_sink on_event, diagnostics* why,
                                    completion_handler<cloud_image> handler);

// Builds an image with Cloud Build from what `source` makes, a .tar.gz, and pushes it. The events are those
// of a build by a daemon: the context's progress, steps, their logs, warnings, the image's names.
//
// Completion: when the image is pushed, or the build failed; with `detach`, when the build is created.
// Signature: void(error_code, cloud_image).
// Lifetimes: `why` stays until completion, all else is kept by the operation. `on_event` may be empty.
// Cancellation: any type. The upload is dropped, the build cancelled unless `wait.cancel_when_cancelled` is
// false, and an object under a name of the operation's own removed unless a build goes on. All of that takes
// less than half a minute. A bucket that was created stays, and so does an object that `content_name` names.
// Errors: errc::invalid_argument and errc::invalid_reference, before the context is sent; those of
// async_upload, async_create_build and async_wait_for_build.
// Source: as these.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_build(const client& google, source_factory source, cloud_build_options options,
                 progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<cloud_image>(&start_cloud_build, std::forward<Token>(token), &why, google,
                               std::move(source), std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_build(const client& google, source_factory source, cloud_build_options options,
                 progress::event_sink on_event, Token&& token = {}) {
  return initiate<cloud_image>(&start_cloud_build, std::forward<Token>(token), nullptr, google,
                               std::move(source), std::move(options), std::move(on_event));
}

}  // namespace dockline::gcp
