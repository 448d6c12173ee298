#include "progress/display_state.hpp"

#include "dockline/progress/printable.hpp"

#include "progress/quantities.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace dockline::progress {
namespace {

using namespace std::chrono_literals;

// How many lines of a failed step are shown.
constexpr std::size_t shown_tail_lines = 20;
// More layers than an image has; a hostile daemon may tell of as many as it likes.
constexpr std::size_t most_layers = 2000;
// The same of what one step does.
constexpr std::size_t most_activities = 200;
// Over which time a rate is measured.
constexpr auto rate_window = 1s;

std::string took(std::string_view word, event_time::duration time) {
  return std::string(word).append(word.empty() ? "" : " ") + seconds(time, 1) + 's';
}

bool is_last(layer_phase phase) {
  switch (phase) {
    case layer_phase::pull_complete:
    case layer_phase::already_exists:
    case layer_phase::pushed:
    case layer_phase::layer_already_exists:
    case layer_phase::mounted: return true;
    case layer_phase::none:
    case layer_phase::pulling_fs_layer:
    case layer_phase::waiting:
    case layer_phase::downloading:
    case layer_phase::verifying_checksum:
    case layer_phase::download_complete:
    case layer_phase::extracting:
    case layer_phase::preparing:
    case layer_phase::pushing:
    case layer_phase::retrying:
    case layer_phase::loading: return false;
  }
  return false;
}

// podman's last word on a layer, and dockerd's when it loads one.
bool may_be_last(layer_phase phase) {
  return phase == layer_phase::download_complete || phase == layer_phase::loading;
}

}  // namespace

std::string activity_text(const step_activity& what) {
  std::string text = what.id;
  if (what.current != 0 || what.total != 0) text += ' ' + human_size(what.current);
  if (what.total != 0) text += " / " + human_size(what.total);
  return text;
}

void display_state::take(const event& what) {
  now_ = what.time;
  std::visit([this](const auto& body) { on(body); }, what.body);
}

std::vector<ended_line> display_state::take_ended() { return std::exchange(ended_, {}); }

void display_state::end(event_time now) {
  now_ = now;
  if (!loose_.text().empty())
    loose_.end([this](std::string_view line) { ended_.emplace_back(printable(line)); });
  end_layers(false);
  if (context_) end_context("CANCELED");
  while (!steps_.empty()) end_step(steps_.begin()->first, "CANCELED", tone::bad);
}

double display_state::context_rate(event_time now) const {
  if (rate_ > 0 || !context_) return rate_;
  // In the first second: since the start.
  const double time = std::chrono::duration<double>(now - context_start_).count();
  return time > 0.1 ? static_cast<double>(context_->bytes_sent) / time : 0;
}

void display_state::on(const context_progress& what) {
  if (what.in_step) return;
  if (!context_) {
    context_start_ = rate_since_ = now_;
    rate_from_ = 0;
  }
  context_ = what;
  if (now_ - rate_since_ >= rate_window) {
    const double time = std::chrono::duration<double>(now_ - rate_since_).count();
    rate_ = what.bytes_sent > rate_from_ ? static_cast<double>(what.bytes_sent - rate_from_) / time : 0;
    rate_since_ = now_;
    rate_from_ = what.bytes_sent;
  }
  if (what.complete) end_context("DONE");
}

void display_state::end_context(std::string_view how) {
  std::string text = " => transferring context: " + context_size(*context_);
  if (context_->complete && context_->bytes_sent != 0 && context_->bytes_sent < context_->bytes / 20 * 19)
    text += ", " + human_size(context_->bytes_sent) + " sent";
  ended_.emplace_back(std::move(text), took(how, now_ - context_start_),
                      context_->complete ? tone::good : tone::bad);
  context_.reset();
}

void display_state::on(const step_started& what) {
  has_steps_ = true;
  steps_total_ = static_cast<std::size_t>(std::max({what.total, what.index, 0}));
  if (what.total <= 0) steps_total_ = 0;
  running_step& step = steps_[what.index];
  step.start = now_;
  step.title = step_title(what);
  layer_step_ = what.index;
  layers_.clear();
  layer_places_.clear();
}

void display_state::on(const step_cached& what) {
  if (const auto step = steps_.find(what.index); step != steps_.end()) step->second.cached = true;
}

void display_state::on(const step_finished& what) {
  const auto step = steps_.find(what.index);
  if (step == steps_.end()) return;
  const bool cached = step->second.cached;
  ++steps_done_;
  end_step(what.index, cached ? "CACHED" : "DONE", tone::good);
}

void display_state::on(const step_failed& what) {
  const auto known = steps_.find(what.index);
  if (known == steps_.end()) return;
  running_step step = std::move(known->second);
  known->second = running_step();
  known->second.title = step.title;
  known->second.start = step.start;
  if (what.cancelled) return end_step(what.index, "CANCELED", tone::bad);
  end_step(what.index, "ERROR", tone::bad);
  const auto keep = [&](std::string_view line) { step.tail.push_back({now_, std::string(line)}); };
  if (!step.out.text().empty()) step.out.end(keep);
  if (!step.err.text().empty()) step.err.end(keep);
  if (step.tail.empty()) return;
  while (step.tail.size() > shown_tail_lines) step.tail.pop_front();
  ended_.emplace_back("------", tone::faint);
  ended_.emplace_back(" > " + step.title + ':');
  for (const auto& [time, text] : step.tail)
    ended_.emplace_back(seconds(time - step.start, 3) + ' ' + printable(text));
  ended_.emplace_back("------", tone::faint);
}

void display_state::end_step(int index, std::string_view how, tone kind) {
  const auto step = steps_.find(index);
  ended_.emplace_back(" => " + step->second.title, took(how, now_ - step->second.start), kind);
  for (const step_activity& done : step->second.activities)
    ended_.emplace_back(" => => " + activity_text(done), took({}, (done.over ? done.end : now_) - done.start),
                        tone::plain);
  steps_.erase(step);
  if (layer_step_ != index) return;
  layer_step_ = 0;
  layers_.clear();
  layer_places_.clear();
}

void display_state::on(const step_log& what) {
  const auto step = steps_.find(what.index);
  if (step == steps_.end()) {
    loose_.add(what.bytes, [this](std::string_view line) { ended_.emplace_back(printable(line)); });
    return;
  }
  add_log(step->second, what.stream == output_stream::out ? step->second.out : step->second.err, what.bytes);
}

void display_state::add_log(running_step& step, open_line& line, std::string_view bytes) {
  line.add(bytes, [&](std::string_view text) {
    // The oldest one's memory is used again: a log may be long.
    running_step::log_line next;
    if (step.tail.size() == shown_tail_lines) {
      next = std::move(step.tail.front());
      step.tail.pop_front();
    }
    next.time = now_;
    next.text = text;
    step.tail.push_back(std::move(next));
  });
}

void display_state::on(const layer_progress& what) {
  if (what.phase == layer_phase::none) {
    // A build's line says the same.
    if (has_steps_) return;
    ended_.emplace_back((what.id.empty() ? std::string() : printable(what.id) + ": ") +
                        printable(what.status));
    return;
  }
  const auto place = layer_places_.find(what.id);
  if (place == layer_places_.end() && layers_.size() >= most_layers) return;
  const std::size_t at = place == layer_places_.end() ? layers_.size() : place->second;
  if (place == layer_places_.end()) {
    layer_places_.emplace(what.id, at);
    shown_layer& fresh = layers_.emplace_back();
    fresh.id = printable(what.id);
    fresh.start = now_;
  }
  shown_layer& layer = layers_[at];
  if (layer.over) return;
  layer.status = printable(what.status);
  layer.phase = what.phase;
  layer.current = what.current;
  layer.total = what.total;
  if (is_last(what.phase)) end_layer(layer);
}

void display_state::on(const step_status& what) {
  const auto step = steps_.find(what.index);
  if (step == steps_.end()) return;
  auto& all = step->second.activities;
  auto known = std::find_if(all.begin(), all.end(),
                            [id = printable(what.id)](const step_activity& one) { return one.id == id; });
  if (known == all.end()) {
    if (all.size() >= most_activities) return;
    step_activity fresh;
    fresh.id = printable(what.id);
    fresh.start = now_;
    all.push_back(std::move(fresh));
    known = all.end() - 1;
  }
  if (known->over) return;
  known->current = what.current;
  known->total = what.total;
  known->over = what.complete;
  known->end = now_;
}

void display_state::on(const builder_chosen& what) {
  ended_.emplace_back("building with " + printable(what.builder) +
                      (what.reason.empty() ? "" : ": " + printable(what.reason)));
}

void display_state::end_layer(shown_layer& layer) {
  layer.over = true;
  ++layers_done_;
  // The layers of a step are part of it.
  if (layer_step_ != 0) return;
  ended_.emplace_back(" => " + layer.id + ": " + layer.status, took({}, now_ - layer.start), tone::plain);
}

void display_state::end_layers(bool all) {
  for (shown_layer& layer : layers_)
    if (!layer.over && (all || may_be_last(layer.phase))) end_layer(layer);
}

void display_state::on(const transfer_finished& what) {
  end_layers(true);
  std::string text = printable(what.tag) + (what.tag.empty() ? "" : ": ") + "done";
  if (!what.digest.empty()) text += ' ' + printable(what.digest);
  ended_.emplace_back(std::move(text));
}
void display_state::on(const warning& what) { ended_.emplace_back("WARNING: " + printable(what.text)); }
void display_state::on(const image_built& what) { ended_.emplace_back("built " + printable(what.id)); }
void display_state::on(const image_tagged& what) {
  ended_.emplace_back("tagged " + printable(what.reference));
}
void display_state::on(const image_loaded& what) {
  end_layers(true);
  ended_.emplace_back("loaded " + printable(what.reference));
}

}  // namespace dockline::progress
