#include "dockline/progress/plain_renderer.hpp"

#include "dockline/progress/printable.hpp"

#include "progress/quantities.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace dockline::progress {
namespace {

using namespace std::chrono_literals;

// A line that is longer is written in pieces.
constexpr std::size_t longest_shown_line = 16 * 1024;
// How often a state that goes on changing is written.
constexpr auto context_interval = 1s;
constexpr auto layer_interval = 5s;
// More than a step does.
constexpr std::size_t most_plain_activities = 2000;

}  // namespace

plain_renderer::plain_renderer(writer out) : out_(std::move(out)) {}

void plain_renderer::show(const event& what) {
  now_ = what.time;
  std::visit([this](const auto& body) { on(body); }, what.body);
  flush();
}

void plain_renderer::finish() {
  end_lines(no_step_);
  for (auto& [index, owner] : steps_) end_lines(owner);
  if (!failed_tail_.empty()) {
    // As buildx does it: with many steps at once, the reason is far above the end.
    const std::string tail = std::exchange(failed_tail_, {});
    pending_ += "------\n > " + failed_title_ + ":\n";
    for (std::string_view rest = tail; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      pending_ += printable(rest.substr(0, end)) + '\n';
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    pending_ += "------\n";
  }
  flush();
}

void plain_renderer::flush() {
  if (!pending_.empty()) out_(pending_);
  pending_.clear();
}

void plain_renderer::on(const context_progress& what) {
  if (what.in_step) return;
  if (context_.number == 0) {
    context_.number = ++numbers_;
    context_.start = now_;
  } else if (!what.complete && now_ - context_shown_ < context_interval) {
    return;
  }
  // Before the first file there is nothing to tell.
  if (what.bytes == 0 && what.bytes_sent == 0 && !what.complete) return;
  context_shown_ = now_;
  std::string text = "transferring context: " + context_size(what);
  if (what.complete && what.bytes_sent != 0 && what.bytes_sent < what.bytes / 20 * 19)
    text += ", " + human_size(what.bytes_sent) + " sent";
  write_line(context_, text);
  if (what.complete) close(context_, "DONE " + seconds(now_ - context_.start, 1) + 's');
}

plain_renderer::group& plain_renderer::step(int index) {
  if (index <= 0) return no_step_;
  group& owner = steps_[index];
  if (owner.number == 0) {
    owner.number = ++numbers_;
    owner.start = now_;
    owner.title = '[' + std::to_string(index) + ']';
  }
  return owner;
}

void plain_renderer::on(const step_started& what) {
  group& owner = step(what.index);
  owner.start = now_;
  owner.cached = false;
  owner.title = step_title(what);
  running_ = what.index;
  owner.titled = false;
  owner.running = what.index;
  all_running_.insert(what.index);
  // Where several run at once, a step is named when there is more to say of it.
  if (all_running_.size() == 1) write_line(owner, owner.title);
}

void plain_renderer::on(const step_cached& what) {
  group& owner = step(what.index);
  owner.cached = true;
  close(owner, "CACHED");
}

void plain_renderer::on(const step_finished& what) {
  group& owner = step(what.index);
  end_lines(owner);
  if (!owner.cached) close(owner, "DONE " + seconds(now_ - owner.start, 1) + 's');
  if (running_ == what.index) running_ = 0;
}

void plain_renderer::on(const step_failed& what) {
  group& owner = step(what.index);
  close(owner, what.cancelled ? "CANCELED" : "ERROR: " + printable(what.reason));
  if (running_ == what.index) running_ = 0;
  if (what.log_tail.empty()) return;
  failed_title_ = owner.title;
  failed_tail_ = what.log_tail;
}

void plain_renderer::on(const step_log& what) {
  group& owner = step(what.index);
  add_log(owner, what.stream == output_stream::out ? owner.out : owner.err, what.bytes);
}

void plain_renderer::on(const layer_progress& what) {
  const bool finished = what.total != 0 && what.current >= what.total;
  layer& known = layers_[what.id];
  // A status without an id is news each time.
  if (!what.id.empty() && what.status == known.status && (finished || now_ - known.shown < layer_interval))
    return;
  known.status = what.status;
  known.shown = now_;
  std::string text = what.id.empty() ? std::string() : printable(what.id) + ": ";
  text += printable(what.status);
  if (what.current != 0) text += ' ' + human_size(what.current);
  if (what.current != 0 && what.total != 0) text += " / " + human_size(what.total);
  write_line(step(running_), text);
}

void plain_renderer::on(const transfer_finished& what) {
  std::string text = printable(what.tag) + (what.tag.empty() ? "" : ": ") + "done";
  if (!what.digest.empty()) text += ' ' + printable(what.digest);
  write_line(no_step_, text);
}

// As buildx does it: the last time, and before that when there is much that is new.
void plain_renderer::on(const step_status& what) {
  group& owner = step(what.index);
  auto known = owner.activities.find(what.id);
  const bool first = known == owner.activities.end();
  if (first) {
    if (owner.activities.size() >= most_plain_activities) return;
    known = owner.activities.emplace(what.id, activity()).first;
    known->second.start = known->second.shown = now_;
  }
  activity& shown = known->second;
  if (shown.complete) return;
  const std::uint64_t more = what.current > shown.current ? what.current - shown.current : 0;
  // What begins mostly ends at once.
  if (!what.complete && now_ - shown.start < context_interval) return;
  if (!what.complete && (what.total == 0 || more < what.total / 20) && now_ - shown.shown < layer_interval)
    return;
  shown.shown = now_;
  shown.current = what.current;
  shown.complete = what.complete;
  std::string text = printable(what.id);
  if (what.current != 0 || what.total != 0) text += ' ' + human_size(what.current);
  if (what.total != 0) text += " / " + human_size(what.total);
  if (now_ - shown.start > 10ms) text += ' ' + seconds(now_ - shown.start, 1) + 's';
  if (what.complete) text += " done";
  write_line(owner, text);
}

void plain_renderer::on(const builder_chosen& what) {
  write_line(no_step_, "building with " + printable(what.builder) +
                           (what.reason.empty() ? "" : ": " + printable(what.reason)));
}

void plain_renderer::on(const warning& what) {
  if (what.index > 0)
    write_line(step(what.index), "WARN: " + printable(what.text));
  else
    write_line(no_step_, "WARNING: " + printable(what.text));
}
void plain_renderer::on(const image_built& what) { write_line(no_step_, "built " + printable(what.id)); }
void plain_renderer::on(const image_tagged& what) {
  write_line(no_step_, "tagged " + printable(what.reference));
}
void plain_renderer::on(const image_loaded& what) {
  write_line(no_step_, "loaded " + printable(what.reference));
}

void plain_renderer::add_log(group& owner, open_line& line, std::string_view bytes) {
  line.time = now_;
  while (!bytes.empty()) {
    if (bytes.front() == '\n') {
      end_line(owner, line);
      bytes.remove_prefix(1);
      continue;
    }
    if (bytes.front() == '\r') {
      line.returned = true;
      bytes.remove_prefix(1);
      continue;
    }
    if (line.returned) line.text.clear();
    line.returned = false;
    const std::string_view piece =
        bytes.substr(0, std::min(bytes.find_first_of("\r\n"), longest_shown_line - line.text.size()));
    line.text += piece;
    bytes.remove_prefix(piece.size());
    if (line.text.size() == longest_shown_line) end_line(owner, line);
  }
}

void plain_renderer::end_line(group& owner, open_line& line) {
  const std::string text = printable(line.text);
  line.text.clear();
  line.returned = false;
  if (owner.number == 0)
    write_line(owner, text);
  else
    write_line(owner, seconds(line.time - owner.start, 3) + (text.empty() ? "" : " " + text));
}

void plain_renderer::end_lines(group& owner) {
  if (!owner.out.text.empty()) end_line(owner, owner.out);
  if (!owner.err.text.empty()) end_line(owner, owner.err);
}

// Writes the last line of a group, and an empty one after it.
void plain_renderer::close(group& owner, std::string_view how) {
  end_lines(owner);
  owner.activities.clear();
  write_line(owner, how);
  pending_ += '\n';
  last_ = nullptr;
  all_running_.erase(std::exchange(owner.running, 0));
  show_what_runs();
}

// So that the last line says what is waited for.
void plain_renderer::show_what_runs() {
  if (all_running_.size() != 1) return;
  group& owner = steps_[*all_running_.begin()];
  if (!owner.titled) write_line(owner, owner.title);
}

// Where another group was in between, the title is said again. A line of no group goes in anywhere.
void plain_renderer::write_line(group& owner, std::string_view text) {
  std::string prefix;
  if (owner.number != 0) {
    prefix = '#' + std::to_string(owner.number) + ' ';
    if (last_ != &owner) {
      if (last_ != nullptr) pending_ += '\n';
      if (text != owner.title && !owner.title.empty()) pending_ += prefix + owner.title + '\n';
      owner.titled = true;
      last_ = &owner;
    }
  }
  pending_ += prefix;
  pending_ += text;
  pending_ += '\n';
}

}  // namespace dockline::progress
