#pragma once

// One build with BuildKit: its session, its request, and what is told of both.

#include "dockline/buildkit/build.hpp"
#include "dockline/core/byte_source.hpp"

#include "core/spawn.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace dockline::buildkit {

struct build_job {
  build_job(engine::client to, build_options what, progress::event_sink told)
      : daemon(std::move(to)), options(std::move(what)), on_event(std::move(told)) {}

  engine::client daemon;
  build_options options;
  progress::event_sink on_event;

  // What is built from: a directory; an archive; or, with neither, what options.image.remote names.
  std::optional<archive::build_context> context;
  std::shared_ptr<byte_source> archive;

  // Where secrets are read and results are written.
  asio::any_io_executor work;
  std::shared_ptr<void> keep;  // what `work` needs
};

// Tells which builder it is. `reason` is for people.
void tell_builder(const build_job& job, builder_kind builder, std::string reason);

// How an attempt ended that found no session: why the daemon refused it.
struct session_refused {
  session_refused() = default;

  error_code code;
  std::string words;
};

// Builds with a session. When the daemon refuses one, `refused` has why, and nothing was sent of the build.
task<build_result> build_with_session(std::shared_ptr<build_job> job, session_refused& refused,
                                      diagnostics& why);

// Builds with BuildKit and the context as the body of the request, if it is none that the daemon fetches.
task<build_result> build_with_body(std::shared_ptr<build_job> job, diagnostics& why);

task<build_result> build_classically(std::shared_ptr<build_job> job, diagnostics& why);

}  // namespace dockline::buildkit
