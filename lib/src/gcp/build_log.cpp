#include "gcp/build_log.hpp"

#include "progress/optional_steps.hpp"

#include <charconv>
#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::string_view_literals;
using progress::layer_phase;

// A line is waited for this long; a program that prints no ends of lines is heard all the same.
constexpr std::size_t longest_line = 64 * 1024;
// A build has hundreds of steps; a program may print what looks like more.
constexpr int most_vertices = 10'000;
constexpr std::size_t tail_lines = 20;
constexpr std::size_t tail_bytes = 16 * 1024;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, int& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// "Step #1", "Step #1 - \"id\"".
bool take_step_name(std::string_view& text, int& number) {
  if (!take_prefix(text, "Step #") || !take_number(text, number)) return false;
  std::string_view rest = text;
  if (take_prefix(rest, " - \"")) {
    const std::size_t end = rest.find('"');
    if (end == rest.npos) return false;
    text = rest.substr(end + 1);
  }
  return true;
}

// The number behind the last `marker` of a text.
std::optional<int> number_behind(std::string_view text, std::string_view marker) {
  const std::size_t at = text.rfind(marker);
  if (at == text.npos) return std::nullopt;
  std::string_view rest = text.substr(at + marker.size());
  int number = 0;
  if (!take_number(rest, number)) return std::nullopt;
  return number;
}

// "[2/4] RUN make" and "[stage 2/4] RUN make": the place, and what is done there.
void read_title(std::string_view title, failed_step& into) {
  into.instruction = title;
  if (!title.starts_with('[')) return;
  const std::size_t end = title.find("] ");
  if (end == title.npos) return;
  into.instruction = title.substr(end + 2);
  std::string_view place = title.substr(1, end - 1);
  place.remove_prefix(place.rfind(' ') == place.npos ? 0 : place.rfind(' ') + 1);
  int index = 0;
  int total = 0;
  if (!take_number(place, index) || !take_prefix(place, "/") || !take_number(place, total) || !place.empty())
    return;
  into.index = index;
  into.total = total;
}

// docker 20's command line writes "[4] " before it.
bool may_fail(std::string_view title) {
  failed_step step;
  read_title(title, step);
  return progress::may_fail(step.instruction);
}

// "12.34 " before what a program printed.
bool take_seconds(std::string_view& text) {
  const std::size_t end = text.find(' ');
  if (end == text.npos || end == 0) return false;
  const std::string_view number = text.substr(0, end);
  if (number.find_first_not_of("0123456789.") != number.npos || number.find('.') == number.npos) return false;
  text.remove_prefix(end + 1);
  return true;
}

bool is_short_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

struct push_phase {
  std::string_view words;
  layer_phase phase;
};
constexpr push_phase push_phases[] = {
    {"Preparing", layer_phase::preparing},
    {"Waiting", layer_phase::preparing},
    {"Pushing", layer_phase::pushing},
    {"Pushed", layer_phase::pushed},
    {"Layer already exists", layer_phase::layer_already_exists},
    {"Mounted from", layer_phase::mounted},
};

}  // namespace

build_log::build_log(progress::event_sink events, int steps, int docker_step)
    : events_(std::move(events)),
      log_event_{{}, progress::step_log{}},
      several_(steps > 1),
      docker_step_(docker_step) {}

void build_log::emit(progress::event_body body) {
  if (!events_) return;
  progress::event what;
  what.time = now_;
  what.body = std::move(body);
  events_(what);
}

void build_log::log(int index, std::string_view bytes) {
  if (bytes.empty() || !events_) return;
  log_event_.time = now_;
  auto& told = std::get<progress::step_log>(log_event_.body);
  told.index = index;
  told.bytes = bytes;
  events_(log_event_);
}

void build_log::add(std::string_view bytes, progress::event_time now) {
  now_ = now;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    if (flowing_) {
      log(classic_step_.open ? classic_step_.index : 0, part);
      if (end == bytes.npos) continue;
    }
    if (end == std::string_view::npos) {
      held_ += part;
      if (held_.size() < longest_line) continue;
      log(classic_step_.open ? classic_step_.index : 0, held_);
      held_.clear();
      flowing_ = true;
      continue;
    }
    if (std::exchange(flowing_, false)) {
      log(classic_step_.open ? classic_step_.index : 0, "\n");
      continue;
    }
    if (held_.empty()) {
      take_line(part);
    } else {
      held_ += part;
      const std::string whole = std::exchange(held_, {});
      take_line(whole);
    }
  }
}

void build_log::take_line(std::string_view line) {
  if (take_phase(line)) return;
  std::string_view text = line;
  if (phase_ == phase::pushing) return take_push_line(text);
  if (phase_ != phase::building) {
    log(0, std::string(text) + '\n');
    return;
  }
  bool of_docker = !several_;
  if (several_) {
    std::string_view rest = text;
    int number = 0;
    if (take_step_name(rest, number) && take_prefix(rest, ":")) {
      take_prefix(rest, " ");
      text = rest;
      of_docker = number == docker_step_;
    }
  }
  if (of_docker) return take_docker_line(text);
  log(0, std::string(text) + '\n');
}

bool build_log::take_phase(std::string_view line) {
  std::string_view rest = line;
  int number = 0;
  if (several_ && phase_ == phase::building) {
    // A step's own lines have its name before them, so that these are nobody else's.
    if (take_prefix(rest, "Starting ") && take_step_name(rest, number) && rest.empty()) return true;
    rest = line;
    if (take_prefix(rest, "Finished ") && take_step_name(rest, number) && rest.empty()) {
      if (number == docker_step_) text_.settle();
      return true;
    }
  }
  if (phase_ == phase::before && line == "BUILD") {
    phase_ = phase::building;
    return true;
  }
  if (phase_ == phase::before && line == "FETCHSOURCE") return true;
  // Where the lines of the one step have nothing before them, a program may print this as well: then it is
  // believed only when the image is there.
  const bool may_end = phase_ == phase::building && (several_ || !classic_ || !tagged_.empty());
  if (may_end && line == "PUSH") {
    text_.settle();
    phase_ = phase::pushing;
    return true;
  }
  if ((may_end || phase_ == phase::pushing) && line == "DONE") {
    text_.settle();
    phase_ = phase::after;
    return true;
  }
  return false;
}

void build_log::take_docker_line(std::string_view line) {
  const std::string_view shown = line.substr(0, line.find_last_not_of("\r ") + 1);
  if (!shown.empty() && !shown.starts_with("ERROR: build step ") && shown != "ERROR") last_line_ = shown;
  // BuildKit parts what it says of one step and of the next by an empty line.
  if (!classic_ && (shown.empty() || take_buildkit_line(line))) return;
  if (vertices_.empty()) {
    std::string whole(line);
    whole += '\n';
    text_.add(whole);
    return;
  }
  log(0, std::string(line) + '\n');
}

// "#7 [2/4] RUN make", "#7 0.513 output", "#7 DONE 1.2s", "#7 CACHED", "#7 ERROR: …".
bool build_log::take_buildkit_line(std::string_view line) {
  std::string_view rest = line;
  int number = 0;
  if (!take_prefix(rest, "#") || !take_number(rest, number) || !take_prefix(rest, " ")) return false;
  while (rest.ends_with('\r')) rest.remove_suffix(1);
  // buildx about itself.
  if (number == 0) {
    log(0, std::string(rest) + '\n');
    return true;
  }
  const auto found = vertices_.find(number);
  if (found == vertices_.end()) {
    if (vertices_.size() >= most_vertices) return false;
    step& fresh = vertices_[number];
    fresh.index = ++started_;
    fresh.title = rest;
    fresh.open = true;
    progress::step_started told;
    told.index = fresh.index;
    failed_step place;
    read_title(fresh.title, place);
    told.name = place.instruction;
    if (told.name != fresh.title) told.title = fresh.title;
    emit(std::move(told));
    return true;
  }
  step& which = found->second;
  if (rest == which.title || rest == "...") return true;
  if (rest == "CACHED") {
    emit(progress::step_cached{which.index});
    close(which);
    return true;
  }
  std::string_view words = rest;
  if (take_prefix(words, "DONE ") && words.ends_with('s') && words.find(' ') == words.npos) {
    close(which);
    return true;
  }
  words = rest;
  if (take_prefix(words, "ERROR: ") || (take_prefix(words, "CANCELED") && words.empty())) {
    fail(which, words.empty() ? "canceled"sv : words);
    return true;
  }
  words = rest;
  take_seconds(words);
  const std::string text = std::string(words) + '\n';
  which.tail.append(text);
  log(which.index, text);
  return true;
}

void build_log::take_push_line(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t colon = line.find(": ");
  const std::string_view id = line.substr(0, colon == line.npos ? 0 : colon);
  const std::string_view words = colon == line.npos ? std::string_view() : line.substr(colon + 2);
  if (is_short_id(id)) {
    for (const auto& [known, which] : push_phases) {
      if (!words.starts_with(known)) continue;
      progress::layer_progress told;
      told.id = id;
      told.status = words;
      told.phase = which;
      return emit(std::move(told));
    }
  }
  std::string_view rest = words;
  if (take_prefix(rest, "digest: ") && rest.starts_with("sha256:")) {
    progress::transfer_finished told;
    told.tag = id;
    told.digest = rest.substr(0, rest.find(' '));
    if (const auto size = number_behind(rest, "size: ")) told.size = static_cast<std::uint64_t>(*size);
    pushed_[told.digest] = true;
    return emit(std::move(told));
  }
  log(0, std::string(line) + '\n');
}

void build_log::close(step& which) {
  if (!std::exchange(which.open, false)) return;
  emit(progress::step_finished{which.index});
}

void build_log::fail(step& which, std::string_view reason) {
  std::optional<int> exit_code = number_behind(reason, "exit code: ");
  if (!exit_code) exit_code = number_behind(reason, "returned a non-zero code: ");
  const bool is_failure = !failure_ && reason != "canceled" && (classic_ || !may_fail(which.title));
  if (std::exchange(which.open, false)) {
    progress::step_failed told;
    told.index = which.index;
    told.exit_code = exit_code;
    told.reason = reason;
    told.cancelled = reason == "canceled";
    if (is_failure) told.log_tail = which.tail.last(tail_lines, tail_bytes);
    emit(std::move(told));
  }
  if (!is_failure) return;
  failure_.emplace();
  failure_->instruction = which.title;
  if (classic_) {
    failure_->index = which.index;
    failure_->total = classic_total_;
  } else {
    read_title(which.title, *failure_);
  }
  failure_->exit_code = exit_code;
  failure_->reason = reason;
  failure_->log_tail = which.tail.last(tail_lines, tail_bytes);
}

void build_log::finish(progress::event_time now, bool succeeded) {
  now_ = now;
  if (!held_.empty()) {
    const std::string last = std::exchange(held_, {});
    take_line(last);
  }
  text_.settle();
  if (classic_step_.open) {
    if (succeeded || !tagged_.empty()) {
      close(classic_step_);
    } else {
      fail(classic_step_, last_line_);
    }
  }
  for (auto& [number, which] : vertices_) {
    if (!which.open) continue;
    if (succeeded) {
      close(which);
    } else {
      fail(which, "canceled");
    }
  }
}

void build_log::on_step(int index, int total, std::string_view instruction) {
  classic_ = true;
  close(classic_step_);
  classic_step_.index = index;
  classic_step_.title = instruction;
  classic_step_.open = true;
  classic_step_.tail.clear();
  classic_total_ = total;
  progress::step_started told;
  told.index = index;
  told.total = total;
  told.name = instruction;
  emit(std::move(told));
}

void build_log::on_cached() { emit(progress::step_cached{classic_step_.index}); }

void build_log::on_log(progress::output_stream, std::string_view bytes) {
  if (!classic_step_.open) return log(0, bytes);
  classic_step_.tail.append(bytes);
  log(classic_step_.index, bytes);
}

void build_log::on_image_id(std::string_view) {}

void build_log::on_built(std::string_view) { close(classic_step_); }

void build_log::on_tagged(std::string_view reference) {
  close(classic_step_);
  tagged_[std::string(reference)] = true;
  emit(progress::image_tagged{std::string(reference)});
}

void build_log::on_warning(std::string_view text) { emit(progress::warning{std::string(text)}); }

}  // namespace dockline::gcp
