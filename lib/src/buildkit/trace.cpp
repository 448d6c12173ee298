#include "buildkit/trace.hpp"

#include "progress/optional_steps.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace dockline::buildkit {
namespace {

using namespace std::chrono_literals;
using progress::event_time;

// A build has hundreds of steps; what a daemon tells beyond this is not shown.
constexpr std::size_t most_steps = 20'000;
constexpr std::size_t most_name_bytes = 16 << 20;

// BuildKit looks at a step's cache key, ends it, and takes it up again when its turn comes. An end that comes
// sooner than this after the start is not told before it is clear that the step stays ended for as long.
constexpr auto glance = 5ms;
constexpr auto patience = 20ms;

// A daemon's clock that is off by less is taken as right.
constexpr auto same_clock = 2s;

constexpr std::size_t tail_lines = 20;
constexpr std::size_t tail_bytes = 16 * 1024;

event_time time_point_of(moment at) {
  return event_time(std::chrono::duration_cast<event_time::duration>(at));
}

bool is_cancellation(std::string_view error) { return error.ends_with("context canceled"); }

bool parse_int(std::string_view text, int& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size() && number > 0;
}

std::optional<int> exit_code_in(std::string_view error) {
  constexpr std::string_view marker = "exit code: ";
  const std::size_t at = error.rfind(marker);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = error.substr(at + marker.size());
  int number = 0;
  if (!parse_int(rest.substr(0, rest.find_first_not_of("0123456789")), number)) return std::nullopt;
  return number;
}

}  // namespace

step_place read_step_title(std::string_view title) {
  step_place place;
  place.instruction = title;
  if (!title.starts_with('[')) return place;
  const std::size_t end = title.find("] ");
  if (end == std::string_view::npos) return place;
  std::string_view inside = title.substr(1, end - 1);
  const std::size_t space = inside.rfind(' ');
  const std::string_view last = inside.substr(space == std::string_view::npos ? 0 : space + 1);
  const std::size_t slash = last.find('/');
  if (slash != std::string_view::npos && parse_int(last.substr(0, slash), place.index) &&
      parse_int(last.substr(slash + 1), place.total)) {
    inside = space == std::string_view::npos ? std::string_view() : inside.substr(0, space);
    // A number is padded to the width of the last one's.
    while (inside.ends_with(' ')) inside.remove_suffix(1);
  } else {
    place.index = place.total = 0;
  }
  place.stage = inside;
  place.instruction = title.substr(end + 2);
  return place;
}

trace::trace(progress::event_sink events) : events_(std::move(events)), log_{{}, progress::step_log{}} {}

error_code trace::add(std::string_view status, event_time now) {
  now_ = now;
  if (!read_build_status(status, status_)) return errc::malformed_message;
  // What ended a while ago comes before what is told now, unless it goes on.
  close_certain([&](const step& which) {
    return std::any_of(status_.vertices.begin(), status_.vertices.end(),
                       [&](const vertex& what) { return step_of(what.digest) == &which; });
  });
  for (const vertex& what : status_.vertices) on(what);
  for (const vertex_status& what : status_.statuses) on(what);
  for (const vertex_log& what : status_.logs) on(what);
  for (const vertex_warning& what : status_.warnings) on(what);
  // Only now, since what the same message tells of a step belongs to it.
  close_certain([](const step&) { return false; });
  return {};
}

trace::member* trace::known(const vertex& what) {
  if (const auto found = members_.find(what.digest); found != members_.end()) return &found->second;
  if (members_.size() >= most_steps) return nullptr;
  name_bytes_ += what.digest.size() + what.name.size() + what.group.size() + what.group_name.size();
  if (name_bytes_ > most_name_bytes) return nullptr;
  const bool grouped = !what.group.empty();
  step& of = steps_[std::string(grouped ? what.group : what.digest)];
  if (of.title.empty()) of.title = grouped ? what.group_name : what.name;
  member& added = members_[std::string(what.digest)];
  added.of = &of;
  of.members.push_back(&added);
  return &added;
}

void trace::on(const vertex& what) {
  member* const one = known(what);
  if (one == nullptr) return;
  step& of = *one->of;
  if (what.started && !(one->started == what.started)) {
    one->started = what.started;
    if (!one->runs) {
      one->runs = true;
      ++of.runs;
    }
    if (what.group.empty() || !what.group_weak) of.worth_showing = true;
    if (of.waiting) {
      // The look at its key was it; now it begins.
      of.waiting = false;
      std::erase(waiting_, &of);
    } else if (!of.open && of.worth_showing) {
      open(of, what.started);
    }
  }
  if (!what.error.empty() && of.error.empty()) {
    of.error = what.error;
    of.worth_showing = true;
  }
  if (!what.completed) return;
  // Without a start: not done at all, or in vain.
  if (!one->runs && !one->done && !what.error.empty() && !of.open) open(of, what.completed);
  if (one->runs) {
    one->runs = false;
    --of.runs;
  }
  one->done = true;
  one->cached = what.cached;
  if (of.runs > 0 || !of.open) return;
  of.ended = time_of(what.completed);
  of.ended_seen = now_;
  of.may_go_on = one->started && *what.completed - *one->started < glance && !what.cached && of.error.empty();
  if (!std::exchange(of.waiting, true)) waiting_.push_back(&of);
}

trace::step* trace::step_of(std::string_view digest) {
  const auto found = members_.find(digest);
  return found == members_.end() ? nullptr : found->second.of;
}

void trace::on(const vertex_status& what) {
  step* const of = step_of(what.vertex);
  if (of == nullptr || what.id.empty()) return;
  if (of->index == 0) open(*of, what.started);
  progress::step_status told;
  told.index = of->index;
  told.id = what.id;
  told.current = static_cast<std::uint64_t>(std::max<std::int64_t>(what.current, 0));
  told.total = static_cast<std::uint64_t>(std::max<std::int64_t>(what.total, 0));
  told.complete = what.completed.has_value();
  emit(time_of(what.completed ? what.completed : what.timestamp), std::move(told));
}

void trace::on(const vertex_log& what) {
  if (what.bytes.empty()) return;
  step* const of = step_of(what.vertex);
  if (of != nullptr && of->index == 0) open(*of, what.timestamp);
  if (of != nullptr) of->tail.append(what.bytes);
  log_.time = time_of(what.timestamp);
  auto& log = std::get<progress::step_log>(log_.body);
  log.index = of == nullptr ? 0 : of->index;
  log.stream = what.stream == 2 ? progress::output_stream::err : progress::output_stream::out;
  log.bytes = what.bytes;
  if (events_) events_(log_);
}

void trace::on(const vertex_warning& what) {
  const step* const of = step_of(what.vertex);
  progress::warning told;
  told.text = what.text;
  told.index = of == nullptr ? 0 : of->index;
  told.file = what.file;
  told.first_line = what.first_line;
  told.last_line = what.last_line;
  for (const std::string_view detail : what.details) told.details.emplace_back(detail);
  told.url = what.url;
  emit(now_, std::move(told));
}

void trace::open(step& which, std::optional<moment> at) {
  if (which.index == 0) which.index = ++started_;
  which.open = true;
  progress::step_started told;
  told.index = which.index;
  told.total = static_cast<int>(steps_.size());
  told.name = read_step_title(which.title).instruction;
  told.title = which.title;
  emit(time_of(at), std::move(told));
}

void trace::close(step& which) {
  which.open = false;
  which.waiting = false;
  if (!which.error.empty()) {
    progress::step_failed told;
    told.index = which.index;
    told.reason = which.error;
    told.exit_code = exit_code_in(which.error);
    told.cancelled = is_cancellation(which.error);
    if (!told.cancelled && !failure_ && !progress::may_fail(which.title)) {
      const step_place place = read_step_title(which.title);
      failed_title_ = which.title;
      failed_step& failed = failure_.emplace();
      failed.index = place.index;
      failed.total = place.total;
      failed.instruction = place.instruction;
      failed.exit_code = told.exit_code;
      failed.reason = which.error;
      failed.log_tail = which.tail.last(tail_lines, tail_bytes);
      told.log_tail = failed.log_tail;
    }
    emit(which.ended, std::move(told));
  } else {
    const bool cached = std::all_of(which.members.begin(), which.members.end(),
                                    [](const member* one) { return one->cached; });
    if (cached) emit(which.ended, progress::step_cached{which.index});
    emit(which.ended, progress::step_finished{which.index});
  }
  which.tail = progress::log_tail();
}

// Tells of the ends that are certain.
template <class Kept>
void trace::close_certain(Kept kept) {
  std::erase_if(waiting_, [&](step* which) {
    const bool certain = (!which->may_go_on || now_ - which->ended_seen >= patience) && !kept(*which);
    if (certain) close(*which);
    return certain;
  });
}

void trace::finish(event_time now, bool failed) {
  now_ = now;
  for (step* which : std::exchange(waiting_, {})) close(*which);
  std::vector<step*> left;
  for (auto& [key, which] : steps_)
    if (which.open) left.push_back(&which);
  std::sort(left.begin(), left.end(), [](const step* a, const step* b) { return a->index < b->index; });
  for (step* which : left) {
    which->ended = now;
    if (failed && which->error.empty()) which->error = "context canceled";
    close(*which);
  }
}

event_time trace::time_of(std::optional<moment> at) {
  if (!at) return now_;
  const event_time told = time_point_of(*at);
  if (!clock_difference_) {
    const auto difference = now_ - told;
    clock_difference_ =
        difference < same_clock && difference > -same_clock ? event_time::duration(0) : difference;
  }
  return told + *clock_difference_;
}

void trace::emit(event_time at, progress::event_body body) {
  progress::event what;
  what.time = at;
  what.body = std::move(body);
  if (events_) events_(what);
}

}  // namespace dockline::buildkit
