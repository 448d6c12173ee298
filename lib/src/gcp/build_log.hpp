#pragma once

// From the text of a Cloud Build log to events. It comes in pieces that are cut anywhere.

#include "dockline/core/diagnostics.hpp"
#include "dockline/progress/event.hpp"

#include "progress/build_text.hpp"
#include "progress/log_tail.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace dockline::gcp {

// What Cloud Build says itself, and what the steps before the one that builds print, is told as a log of no
// step; what `docker build` does as the steps of a build: of the classic builder ("Step 2/5 : RUN make")
// under their own numbers, of BuildKit ("#7 [2/4] RUN make") under numbers in the order in which they start.
class build_log final : private progress::build_text::listener {
 public:
  // Of how many steps the build is, and which of them, counted from 0, is `docker build`. The lines of a
  // build of several steps have a step's name before them.
  build_log(progress::event_sink events, int steps, int docker_step);

  void add(std::string_view bytes, progress::event_time now);
  // No more comes: what is left is a line; a step that runs still is over, or has failed.
  void finish(progress::event_time now, bool succeeded);

  // Where and why the docker build failed, once it is finished; null where the log does not tell.
  const failed_step* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }
  // The images whose names the log told to be given, or to be pushed with this digest.
  bool told_tag(const std::string& reference) const { return tagged_.contains(reference); }
  bool told_push(const std::string& digest) const { return pushed_.contains(digest); }

 private:
  enum class phase { before, building, pushing, after };
  struct step {
    int index = 0;
    std::string title;
    bool open = false;
    progress::log_tail tail;
  };

  void on_step(int index, int total, std::string_view instruction) override;
  void on_cached() override;
  void on_log(progress::output_stream stream, std::string_view bytes) override;
  void on_image_id(std::string_view digits) override;
  void on_built(std::string_view short_id) override;
  void on_tagged(std::string_view reference) override;
  void on_warning(std::string_view text) override;

  void take_line(std::string_view line);
  // Whether it is one of Cloud Build's own.
  bool take_phase(std::string_view line);
  void take_docker_line(std::string_view line);
  bool take_buildkit_line(std::string_view line);
  void take_push_line(std::string_view line);
  void log(int index, std::string_view bytes);
  void close(step& which);
  void fail(step& which, std::string_view reason);
  void emit(progress::event_body body);

  progress::event_sink events_;
  progress::event_time now_;
  progress::event log_event_;
  bool several_;
  int docker_step_;

  std::string held_;      // the beginning of a line
  bool flowing_ = false;  // of a line too long to be held, the rest comes
  phase phase_ = phase::before;
  int current_ = -1;  // the step that its line belongs to; -1: to none

  // The classic builder.
  progress::build_text text_{*this};
  bool classic_ = false;
  step classic_step_;
  int classic_total_ = 0;
  // BuildKit.
  std::map<int, step> vertices_;
  int started_ = 0;

  std::string last_line_;  // of docker's, that is not empty
  std::optional<failed_step> failure_;
  std::map<std::string, bool, std::less<>> tagged_;
  std::map<std::string, bool, std::less<>> pushed_;
};

}  // namespace dockline::gcp
