#pragma once

// What a live display knows: what runs, and what has ended since it was drawn last.

#include "dockline/progress/event.hpp"

#include "progress/open_line.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::progress {

enum class tone { plain, good, bad, faint };

// A line that will not change any more. Its texts are printable.
struct ended_line {
  ended_line() = default;
  explicit ended_line(std::string text, tone all = tone::plain)
      : left(std::move(text)), left_tone(all), whole(true) {}
  ended_line(std::string text, std::string how, tone kind)
      : left(std::move(text)), right(std::move(how)), right_tone(kind) {}

  std::string left;
  std::string right;
  tone left_tone = tone::plain;
  tone right_tone = tone::plain;
  bool whole = false;  // goes on in further lines rather than being cut
};

// Something that a step does: a transfer, a download.
struct step_activity {
  std::string id;
  std::uint64_t current = 0;
  std::uint64_t total = 0;
  event_time start;
  event_time end;  // of what is over
  bool over = false;
};

struct running_step {
  struct log_line {
    event_time time;
    std::string text;  // as it came
  };

  std::string title;  // "[2/7] RUN make"
  event_time start;
  bool cached = false;
  open_line out;
  open_line err;
  std::vector<step_activity> activities;
  std::deque<log_line> tail;  // the last lines, as many as a failure shows
};

struct shown_layer {
  std::string id;
  std::string status;
  layer_phase phase = layer_phase::none;
  std::uint64_t current = 0;
  std::uint64_t total = 0;
  event_time start;
  bool over = false;
};

// "transferring context: 12.3MB / 20MB"
std::string activity_text(const step_activity& what);

class display_state {
 public:
  void take(const event& what);
  // Nothing more will happen: ends what runs.
  void end(event_time now);

  // What has ended since this was asked last.
  std::vector<ended_line> take_ended();
  void add_ended(ended_line line) { ended_.push_back(std::move(line)); }

  const std::optional<context_progress>& context() const noexcept { return context_; }
  event_time context_start() const noexcept { return context_start_; }
  // Bytes a second that are sent now.
  double context_rate(event_time now) const;
  const std::map<int, running_step>& steps() const noexcept { return steps_; }
  // Those of the step that started last, or of the whole operation.
  const std::vector<shown_layer>& layers() const noexcept { return layers_; }
  int layer_step() const noexcept { return layer_step_; }
  // How much is done and of how much; 0 is unknown.
  std::size_t done() const noexcept { return has_steps_ ? steps_done_ : layers_done_; }
  std::size_t total() const noexcept { return has_steps_ ? steps_total_ : layers_.size(); }

 private:
  void on(const context_progress& what);
  void on(const step_started& what);
  void on(const step_cached& what);
  void on(const step_finished& what);
  void on(const step_failed& what);
  void on(const step_log& what);
  void on(const layer_progress& what);
  void on(const transfer_finished& what);
  void on(const warning& what);
  void on(const image_built& what);
  void on(const image_tagged& what);
  void on(const image_loaded& what);
  void on(const step_status& what);
  void on(const builder_chosen& what);

  void end_layers(bool all);
  void end_layer(shown_layer& layer);
  void end_step(int index, std::string_view how, tone kind);
  void add_log(running_step& step, open_line& line, std::string_view bytes);
  void end_context(std::string_view how);

  event_time now_;
  std::vector<ended_line> ended_;

  std::optional<context_progress> context_;
  event_time context_start_;
  event_time rate_since_;
  std::uint64_t rate_from_ = 0;
  double rate_ = 0;

  std::map<int, running_step> steps_;
  bool has_steps_ = false;
  std::size_t steps_done_ = 0;
  std::size_t steps_total_ = 0;
  open_line loose_;  // of no step

  int layer_step_ = 0;
  std::vector<shown_layer> layers_;
  std::map<std::string, std::size_t, std::less<>> layer_places_;
  std::size_t layers_done_ = 0;
};

}  // namespace dockline::progress
