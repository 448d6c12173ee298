#pragma once

// POST /build and its answer, for those who start builds: with the context as the body, or with a session.

#include "dockline/engine/build.hpp"

#include "core/spawn.hpp"
#include "progress/build_messages.hpp"

#include <functional>
#include <memory>

namespace dockline::engine {

struct build_run {
  build_run() = default;

  build_options options;
  std::shared_ptr<byte_source> context;  // null: options.remote
  progress::event_sink on_event;
  // Given what is no message of a builder that is known here: BuildKit's trace.
  progress::build_messages::unknown_sink on_unknown;
  // Called when no message comes any more, before the last events. `failed`: it made nothing, whether the
  // daemon said so, or the build was cancelled or its connection was lost.
  std::function<void(bool failed)> on_end;
  // The result goes elsewhere: an answer that tells no image is a success.
  bool no_image = false;
};

// As async_build.
task<built_image> run_build(client daemon, build_run what, diagnostics& why);

}  // namespace dockline::engine
