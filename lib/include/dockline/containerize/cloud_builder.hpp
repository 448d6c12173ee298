#pragma once

#include "dockline/containerize/image_builder.hpp"
#include "dockline/core/export.hpp"
#include "dockline/gcp/build.hpp"
#include "dockline/gcp/client.hpp"

#include <memory>
#include <string>

namespace dockline::containerize {

// How Google Cloud Build makes the image, beyond what containerize_options say.
struct cloud_builder_options {
  cloud_builder_options() = default;

  // The bucket, the place, the machine and the times. What an image_order says takes the place of what is
  // here: images, cache, Dockerfile, and the name of the context.
  gcp::cloud_build_options build;

  // Where the registry of parent images is asked, "http://127.0.0.1:5000", instead of at its own address.
  std::string registry_endpoint;
};

// Builds with Google Cloud Build, which pushes the image.
//
// The context is packed so that equal content is equal bytes, and named by what is in it: it is not sent again
// when the bucket has it. Whether an image is there is asked of its registry, anonymously.
//
// Errors of a build: those of archive::async_open_context and gcp::async_build; errc::invalid_argument for an
// order not to push. Cancellation: the build there is cancelled.
DOCKLINE_API std::shared_ptr<image_builder> make_cloud_builder(gcp::client google,
                                                               cloud_builder_options options);

}  // namespace dockline::containerize
