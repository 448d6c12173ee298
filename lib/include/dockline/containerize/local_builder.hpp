#pragma once

#include "dockline/archive/build_context.hpp"
#include "dockline/containerize/image_builder.hpp"
#include "dockline/core/export.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/credentials.hpp"

#include <memory>

namespace dockline::containerize {

// How a daemon builds, beyond what is ordered.
struct local_builder_options {
  local_builder_options() = default;

  // Where the credentials of registries are looked for. By default all of them are spoken to anonymously.
  engine::credential_store credentials;

  // What else the build is to be like: its network, its arguments. What an image_order says takes the place
  // of what is here: Dockerfile, tags, cache and credentials.
  engine::build_options build;

  // Of the context on its way; worth it where a network lies on that way.
  archive::compression compress = archive::compression::none;
  int compression_level = 1;  // of gzip, 1 (fast) to 9 (small)
};

// Builds with a Docker daemon's classic builder, and pushes from there.
//
// The cache image is pulled first; when that fails, and the daemon has no older copy, the build goes on
// without it and a warning says so. Whether an image is there is asked of the daemon, and then, through it,
// of the registry.
//
// Errors of a build: those of archive::async_open_context, engine::async_build and engine::async_image_push.
// Cancellation: the running request's, see there.
DOCKLINE_API std::shared_ptr<image_builder> make_local_builder(engine::client daemon,
                                                               local_builder_options options = {});

}  // namespace dockline::containerize
