#pragma once

// What a build with BuildKit asks of the daemon, and what is told of it.

#include "dockline/archive/build_context.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/progress/event.hpp"

#include "buildkit/session_build.hpp"
#include "buildkit/trace.hpp"
#include "buildkit/trace_message.hpp"
#include "engine/build_run.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {

// What is told of one build. The session's calls and the answer to the request both tell; neither may do so
// when it is over.
class build_news {
 public:
  // With the context, a failed step is told with its lines of the Dockerfile.
  explicit build_news(progress::event_sink to, std::optional<archive::build_context> context = std::nullopt);

  void tell(const progress::event& what);
  void tell_now(progress::event_body body);
  void warn(std::string text);
  // BuildKit's part of the answer.
  void take(std::string_view message);

  std::vector<std::string> warnings;
  bool over = false;
  trace steps;

 private:
  // Adds its lines to the step that the build failed by.
  void point_at_lines(progress::step_failed& failed) const;

  progress::event_sink listener_;
  std::optional<archive::build_context> context_;
  bool misread_ = false;
  trace_messages finder_;
};

// The request, but for where the context comes from.
engine::build_run run_of(const build_job& job, std::shared_ptr<build_news> news);

build_result result_of(engine::built_image image, const build_news& news);

// What BuildKit told of the step that failed is more than what the error says.
void explain(const trace& steps, const build_job& job, diagnostics& why);

}  // namespace dockline::buildkit
