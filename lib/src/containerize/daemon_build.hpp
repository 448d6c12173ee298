#pragma once

// One build on a daemon, with BuildKit in a dockline that has it.

#include "dockline/archive/build_context.hpp"
#include "dockline/containerize/local_builder.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/progress/event.hpp"

#include "core/spawn.hpp"

#include <string>
#include <utility>

namespace dockline::containerize {

struct daemon_build {
  daemon_build(engine::client to, archive::build_context from)
      : daemon(std::move(to)), context(std::move(from)) {}

  engine::client daemon;
  archive::build_context context;
  engine::build_options options;
  engine::token_fetching registry_tokens;
  daemon_builder builder = daemon_builder::automatic;
  // Writes into the image what makes it a cache for others, where the builder can.
  bool inline_cache = false;
  progress::event_sink on_event;
};

// Gives the name of the builder that it was: "buildkit" or "classic".
task<std::string> build_on_daemon(daemon_build what, diagnostics& why);

}  // namespace dockline::containerize
