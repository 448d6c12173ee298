#include "dockline/progress/terminal_renderer.hpp"

#include "dockline/progress/printable.hpp"

#include "progress/columns.hpp"
#include "progress/display_state.hpp"
#include "progress/live_area.hpp"
#include "progress/quantities.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace dockline::progress {
namespace {

using namespace std::chrono_literals;

constexpr auto draw_interval = 100ms;
// How many of a running step's last lines are shown, where there is room.
constexpr std::size_t log_lines = 6;
// Less of a text than this says nothing; the time beside it gives way.
constexpr int least_text = 8;

std::string_view sequence_of(tone kind) {
  switch (kind) {
    case tone::plain: return {};
    case tone::good: return "\x1b[36m";
    case tone::bad: return "\x1b[31m";
    case tone::faint: return "\x1b[2m";
  }
  return {};
}

// "[=====>    ]"; nothing where there is no room.
std::string bar(std::uint64_t current, std::uint64_t total, int width) {
  const int size = width >= 70 ? 20 : width >= 45 ? 10 : 0;
  if (size == 0 || total == 0) return {};
  const double share = static_cast<double>(std::min(current, total)) / static_cast<double>(total);
  const int full = static_cast<int>(share * size);
  std::string text(static_cast<std::size_t>(full), '=');
  if (full < size) text += '>';
  text.resize(static_cast<std::size_t>(size), ' ');
  return '[' + text + "] ";
}

// "[  <=>     ]" for what has no known end: a mark that goes to and fro.
std::string activity(event_time::duration time, int width) {
  const int size = width >= 70 ? 20 : width >= 45 ? 10 : 0;
  if (size == 0) return {};
  const int way = size - 3;
  const auto step = std::chrono::duration_cast<std::chrono::milliseconds>(time).count() / 100;
  const int at = static_cast<int>(std::max<long long>(step, 0) % (2LL * way));
  std::string text(static_cast<std::size_t>(size), ' ');
  text.replace(static_cast<std::size_t>(at < way ? at : 2 * way - at), 3, "<=>");
  return '[' + text + "] ";
}

}  // namespace

struct terminal_renderer::impl {
  explicit impl(terminal_options given) : options(std::move(given)), measure(options.width_of) {
    set_size(options.width, options.height);
  }

  void set_size(int columns_wide, int lines_high) {
    width = columns_wide > 0 ? columns_wide : 80;
    height = lines_high > 0 ? lines_high : 24;
  }

  std::string painted(tone kind, std::string text) const {
    if (!options.colour || kind == tone::plain || text.empty()) return text;
    return std::string(sequence_of(kind)).append(text).append("\x1b[0m");
  }

  // The text at the left and, where there is room, `right` at the right edge.
  drawn_line line(std::string_view left, const std::string& right, tone right_tone) const {
    const int room = width - 1;
    const int right_size = static_cast<int>(right.size());
    const int left_room = room - right_size - 1;
    if (right.empty() || left_room < least_text) return measure.cut(left, room);
    drawn_line whole = measure.cut(left, left_room);
    whole.bytes.append(static_cast<std::size_t>(room - right_size - whole.columns), ' ');
    whole.bytes += painted(right_tone, right);
    whole.columns = room;
    return whole;
  }

  drawn_line faint_line(std::string_view text) const {
    drawn_line whole = measure.cut(text, width - 1);
    whole.bytes = painted(tone::faint, std::move(whole.bytes));
    return whole;
  }

  std::string elapsed(event_time since, event_time now) const { return seconds(now - since, 1) + 's'; }

  drawn_line total_line(event_time now, std::string_view outcome, tone kind) const {
    std::string text = "[+] " + options.title + ' ' + elapsed(start.value_or(now), now);
    if (state.total() != 0)
      text += " (" + std::to_string(state.done()) + '/' + std::to_string(state.total()) + ')';
    drawn_line whole = measure.cut(text, width - 1);
    const int size = static_cast<int>(outcome.size());
    if (outcome.empty() || whole.columns + 1 + size > width - 1) return whole;
    whole.bytes += ' ' + painted(kind, std::string(outcome));
    whole.columns += 1 + size;
    return whole;
  }

  drawn_line context_line(event_time now) const {
    const context_progress& sent = *state.context();
    std::string right = activity(now - state.context_start(), width);
    const double rate = state.context_rate(now);
    if (rate > 0 && width >= 45) right += human_size(static_cast<std::uint64_t>(rate)) + "/s ";
    right += elapsed(state.context_start(), now);
    return line(" => transferring context: " + context_size(sent), right, tone::plain);
  }

  drawn_line layer_line(const shown_layer& layer, std::string_view indent, event_time now) const {
    std::string right;
    if (layer.current != 0) {
      right = bar(layer.current, layer.total, width) + human_size(layer.current);
      if (layer.total != 0) right += " / " + human_size(layer.total);
    } else {
      right = elapsed(layer.start, now);
    }
    return line(std::string(indent) + layer.id + ": " + layer.status, right, tone::plain);
  }

  // The layers on their way, at most so many lines: where there is no room for all, the last says how many
  // there are besides.
  void add_layers(std::vector<drawn_line>& lines, std::size_t room, std::string_view indent,
                  event_time now) const {
    std::size_t active = active_layers();
    if (room == 0) return;
    const std::size_t shown = active <= room ? active : room - 1;
    std::size_t left = shown;
    for (const shown_layer& layer : state.layers()) {
      if (left == 0) break;
      if (layer.over) continue;
      lines.push_back(layer_line(layer, indent, now));
      --left;
    }
    if (active > shown)
      lines.push_back(faint_line(std::string(indent) + "and " + std::to_string(active - shown) + " more"));
  }

  static std::size_t active_of(const running_step& step) {
    return static_cast<std::size_t>(std::count_if(step.activities.begin(), step.activities.end(),
                                                  [](const step_activity& one) { return !one.over; }));
  }

  // What a step does, at most so many lines.
  void add_activities(std::vector<drawn_line>& lines, const running_step& step, std::size_t room,
                      event_time now) const {
    for (const step_activity& what : step.activities) {
      if (room == 0) return;
      if (what.over) continue;
      std::string right = bar(what.current, what.total, width) + elapsed(what.start, now);
      lines.push_back(line(" => => " + activity_text(what), right, tone::plain));
      --room;
    }
  }

  std::size_t active_layers() const {
    return static_cast<std::size_t>(std::count_if(state.layers().begin(), state.layers().end(),
                                                  [](const shown_layer& layer) { return !layer.over; }));
  }

  // The last lines that a step wrote, with those that have not ended.
  static std::vector<std::string_view> logs_of(const running_step& step, std::size_t most) {
    std::vector<std::string_view> logs;
    logs.reserve(step.tail.size() + 2);
    for (const auto& logged : step.tail) logs.push_back(logged.text);
    for (const open_line* open : {&step.out, &step.err})
      if (!open->text().empty()) logs.push_back(open->text());
    if (logs.size() > most) logs.erase(logs.begin(), logs.end() - static_cast<std::ptrdiff_t>(most));
    return logs;
  }

  // The display: fewer lines than the terminal has. What runs comes first, then what is told of it, of the
  // newest step before the others.
  std::vector<drawn_line> live_lines(event_time now) const {
    std::vector<drawn_line> lines;
    auto room = static_cast<std::size_t>(std::max(height - 1, 0));
    if (room == 0) return lines;
    lines.push_back(total_line(now, {}, tone::plain));
    --room;
    if (state.context() && room > 0) {
      lines.push_back(context_line(now));
      --room;
    }
    if (state.layer_step() == 0) {
      const std::size_t before = lines.size();
      add_layers(lines, room, " => ", now);
      room -= lines.size() - before;
    }
    const auto& steps = state.steps();
    const std::size_t count = std::min(steps.size(), room);
    room -= count;
    auto oldest = steps.end();
    for (std::size_t i = 0; i < count; ++i) --oldest;
    std::vector<std::size_t> details(count);
    auto step = steps.end();
    for (std::size_t i = count; i-- > 0 && room > 0;) {
      --step;
      details[i] = std::min(room, logs_of(step->second, log_lines).size() + active_of(step->second) +
                                      (step->first == state.layer_step() ? active_layers() : 0));
      room -= details[i];
    }
    step = oldest;
    for (std::size_t i = 0; i < count; ++i, ++step) add_step(lines, *step, details[i], now);
    return lines;
  }

  void add_step(std::vector<drawn_line>& lines, const std::pair<const int, running_step>& step,
                std::size_t details, event_time now) const {
    lines.push_back(line(" => " + step.second.title, elapsed(step.second.start, now), tone::plain));
    if (step.first == state.layer_step()) {
      const std::size_t before = lines.size();
      add_layers(lines, details, " => => ", now);
      details -= lines.size() - before;
    }
    const std::size_t before = lines.size();
    add_activities(lines, step.second, details, now);
    details -= lines.size() - before;
    for (const std::string_view text : logs_of(step.second, std::min(details, log_lines)))
      lines.push_back(faint_line(" => => # " + columns::without_tabs(printable(text))));
  }

  std::vector<drawn_line> ended_lines() {
    std::vector<drawn_line> lines;
    for (const ended_line& ended : state.take_ended()) {
      const std::string left = columns::without_tabs(ended.left);
      if (!ended.whole) {
        lines.push_back(line(left, ended.right, ended.right_tone));
        continue;
      }
      for (drawn_line& part : measure.wrap(left, width - 1)) {
        part.bytes = painted(ended.left_tone, std::move(part.bytes));
        lines.push_back(std::move(part));
      }
    }
    return lines;
  }

  std::string draw(event_time now) {
    if (over) return {};
    last_drawn = now;
    const std::vector<drawn_line> ended = ended_lines();
    return area.draw(ended, live_lines(now));
  }

  terminal_options options;
  columns measure;
  int width = 80;
  int height = 24;
  display_state state;
  live_area area;
  std::optional<event_time> start;
  std::optional<event_time> last_drawn;
  bool over = false;
};

terminal_renderer::terminal_renderer(terminal_options options)
    : impl_(std::make_unique<impl>(std::move(options))) {}
terminal_renderer::~terminal_renderer() = default;

void terminal_renderer::show(const event& what) {
  if (impl_->over) return;
  if (!impl_->start) impl_->start = what.time;
  impl_->state.take(what);
}

std::string terminal_renderer::tick(event_time now) {
  const auto& last = impl_->last_drawn;
  // A clock that was set back is no reason to stand still.
  if (!impl_->start || (last && now >= *last && now - *last < draw_interval)) return {};
  return impl_->draw(now);
}

std::string terminal_renderer::above(std::string_view lines, event_time now) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    impl_->state.add_ended(ended_line(printable(lines.substr(0, end))));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  if (!impl_->start) impl_->start = now;
  return impl_->draw(now);
}

std::string terminal_renderer::resize(int width, int height, event_time now) {
  impl_->set_size(width, height);
  std::string erased = impl_->area.erase_for(impl_->width, impl_->height);
  if (!impl_->start) return erased;
  return erased + impl_->draw(now);
}

std::string terminal_renderer::redraw(event_time now) {
  impl_->area.abandon();
  return impl_->start ? impl_->draw(now) : std::string();
}

std::string terminal_renderer::finish(event_time now, error_code outcome) {
  if (impl_->over) return {};
  impl_->state.end(now);
  std::vector<drawn_line> last = impl_->ended_lines();
  if (impl_->start) {
    const std::string_view word = !outcome                          ? "FINISHED"
                                  : outcome == condition::cancelled ? "CANCELED"
                                                                    : "FAILED";
    last.push_back(impl_->total_line(now, word, outcome ? tone::bad : tone::good));
  }
  impl_->over = true;
  // Below there may be what the terminal echoed: "^C".
  const std::string drawn = impl_->area.draw(last, {});
  return drawn.empty() ? drawn : drawn + "\x1b[J";
}

}  // namespace dockline::progress
