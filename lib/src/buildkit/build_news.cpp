#include "buildkit/build_news.hpp"

#include "buildkit/build_output.hpp"
#include "buildkit/dockerfile_excerpt.hpp"
#include "buildkit/file_sync.hpp"
#include "core/random.hpp"
#include "progress/event_now.hpp"

#include <chrono>
#include <utility>
#include <variant>

namespace dockline::buildkit {
namespace {

bool is_archive_of_image(const build_output& output) noexcept {
  return output.type == build_output::kind::oci || output.type == build_output::kind::docker;
}

void add_lines(const archive::build_context& context, const trace& steps, failed_step& step) {
  const std::string& text = context.dockerfile_text();
  auto lines = lines_of_step(text, steps.failed_title());
  if (!lines) lines = lines_of_error(text, step.reason);
  if (!lines) return;
  step.file = dockerfile_name_of(context);
  step.first_line = lines->first;
  step.last_line = lines->last;
  step.excerpt = excerpt_of(text, step.file, *lines);
}

}  // namespace

build_news::build_news(progress::event_sink to, std::optional<archive::build_context> context)
    : steps([this](const progress::event& what) { tell(what); }),
      listener_(std::move(to)),
      context_(std::move(context)) {}

void build_news::tell(const progress::event& what) {
  if (over) return;
  if (const auto* warned = std::get_if<progress::warning>(&what.body)) warnings.push_back(warned->text);
  if (!listener_) return;
  if (const auto* failed = std::get_if<progress::step_failed>(&what.body)) {
    progress::step_failed more = *failed;
    point_at_lines(more);
    return listener_(progress::event{what.time, std::move(more)});
  }
  listener_(what);
}

void build_news::point_at_lines(progress::step_failed& failed) const {
  const failed_step* known = steps.failure();
  if (!context_ || known == nullptr || failed.cancelled || failed.reason != known->reason) return;
  failed_step step = *known;
  add_lines(*context_, steps, step);
  failed.file = std::move(step.file);
  failed.first_line = step.first_line;
  failed.last_line = step.last_line;
  failed.excerpt = std::move(step.excerpt);
}

void build_news::tell_now(progress::event_body body) { tell(progress::event_now(std::move(body))); }

void build_news::warn(std::string text) {
  progress::warning warned;
  warned.text = std::move(text);
  tell_now(std::move(warned));
}

void build_news::take(std::string_view message) {
  const auto status = finder_.find(message);
  if (!status) return;
  if (!steps.add(*status, std::chrono::system_clock::now()) || std::exchange(misread_, true)) return;
  warn("the daemon told of the build's steps what cannot be read");
}

engine::build_run run_of(const build_job& job, std::shared_ptr<build_news> news) {
  engine::build_run run;
  run.options = job.options.image;
  run.options.buildkit = true;
  run.options.outputs = outputs_parameter(job.options.output);
  run.options.build_id = random_id();
  if (job.options.inline_cache) run.options.build_args.insert_or_assign("BUILDKIT_INLINE_CACHE", "1");
  run.no_image = job.options.output.type != build_output::kind::image;
  run.on_event = [news](const progress::event& what) { news->tell(what); };
  run.on_unknown = [news](std::string_view message) { news->take(message); };
  run.on_end = [news](bool failed) { news->steps.finish(std::chrono::system_clock::now(), failed); };
  return run;
}

build_result result_of(engine::built_image image, const build_news& news) {
  build_result built;
  built.builder = builder_kind::buildkit;
  built.image_id = std::move(image.id);
  built.warnings = news.warnings;
  return built;
}

void explain(const trace& steps, const build_job& job, diagnostics& why) {
  if (why.step() == nullptr) {
    // Refused as a whole. The daemon says that it does not find the exporter, and not where there is one.
    if (is_archive_of_image(job.options.output) && !why.server_message().empty() &&
        why.client_message().empty())
      why.set_client_message(
          "oci and docker archives come only from daemons with the containerd image store");
    return;
  }
  failed_step step = *why.step();
  if (const failed_step* known = steps.failure()) step = *known;
  if (job.context) add_lines(*job.context, steps, step);
  why.set_step(std::move(step));
}

}  // namespace dockline::buildkit
