#pragma once

#include "dockline/archive/build_context.hpp"
#include "dockline/containerize/image_builder.hpp"
#include "dockline/containerize/registry_login.hpp"
#include "dockline/core/export.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/credentials.hpp"
#include "dockline/engine/token_fetching.hpp"

#include <cstdint>
#include <memory>

namespace dockline::containerize {

// Which of a daemon's builders shall build.
enum class daemon_builder : std::uint8_t {
  automatic,  // BuildKit where the daemon has it, and this library was built with it; else the classic one
  buildkit,   // errc::unsupported_parameter where there is none
  classic     // the classic one, also where there is BuildKit
};

// How a daemon builds, beyond what is ordered.
struct local_builder_options {
  local_builder_options() = default;

  // Where the credentials of registries are looked for. By default all of them are spoken to anonymously.
  engine::credential_store credentials;

  // Asked for the credentials of those registries of a build for which `credentials` has none. What goes wrong
  // then is a warning, and the registry is spoken to anonymously. Empty: nobody is asked.
  registry_login login;

  // With BuildKit: who fetches the tokens that a registry wants where there are credentials for it.
  engine::token_fetching registry_tokens;

  // Which of the daemon's builders; by default the better one that it has.
  daemon_builder builder = daemon_builder::automatic;

  // What else the build is to be like: its network, its arguments. What an image_order says takes the place
  // of what is here: Dockerfile, tags, cache and credentials.
  engine::build_options build;

  // Of the context on its way; worth it where a network lies on that way.
  archive::compression compress = archive::compression::none;
  int compression_level = 1;  // of gzip, 1 (fast) to 9 (small)
};

// Builds with a Docker daemon, and pushes from there. With BuildKit the daemon reads what it lacks of the
// context, and the image gets what a later build needs to take its layers as cache.
//
// The cache image is pulled first; when that fails, and the daemon has no older copy, the build goes on
// without it and a warning says so. Whether an image is there is asked of the daemon, and then, through it,
// of the registry.
//
// Errors of a build: those of archive::async_open_context, buildkit::async_build, engine::async_build and
// engine::async_image_push. Cancellation: the running request's, see there.
DOCKLINE_API std::shared_ptr<image_builder> make_local_builder(engine::client daemon,
                                                               local_builder_options options = {});

}  // namespace dockline::containerize
