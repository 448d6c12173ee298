#pragma once

// What a build with BuildKit asks of the daemon, and what is told of it.

#include "dockline/core/diagnostics.hpp"
#include "dockline/progress/event.hpp"

#include "buildkit/session_build.hpp"
#include "buildkit/trace.hpp"
#include "buildkit/trace_message.hpp"
#include "engine/build_run.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {

// What is told of one build. The session's calls and the answer to the request both tell; neither may do so
// when it is over.
class build_news {
 public:
  explicit build_news(progress::event_sink to);

  void tell(const progress::event& what);
  void tell_now(progress::event_body body);
  void warn(std::string text);
  // BuildKit's part of the answer.
  void take(std::string_view message);

  std::vector<std::string> warnings;
  bool over = false;
  trace steps;

 private:
  progress::event_sink listener_;
  bool misread_ = false;
  trace_messages finder_;
};

// The request, but for where the context comes from.
engine::build_run run_of(const build_job& job, std::shared_ptr<build_news> news);

build_result result_of(engine::built_image image, const build_news& news);

// What BuildKit told of the step that failed is more than what the error says.
void explain(const trace& steps, const build_job& job, diagnostics& why);

}  // namespace dockline::buildkit
