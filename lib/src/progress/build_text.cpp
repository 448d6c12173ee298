#include "progress/build_text.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace dockline::progress {
namespace {

using namespace std::string_view_literals;

// dockerd wraps each piece of a program's error output in these.
constexpr auto red = "\x1b[91m"sv;
constexpr auto reset = "\x1b[0m"sv;

constexpr auto dockerd_step = "Step "sv;
constexpr auto buildah_step = "STEP "sv;
constexpr auto dockerd_arrow = " ---> "sv;
constexpr auto buildah_arrow = "--> "sv;
constexpr auto removing = "Removing intermediate container "sv;
constexpr auto removed = "Removed intermediate container "sv;
constexpr auto commit = "COMMIT"sv;
constexpr auto built = "Successfully built "sv;
constexpr auto tagged = "Successfully tagged "sv;
constexpr auto warned = "[Warning] "sv;
constexpr auto triggers = "# Executing "sv;
constexpr auto digest_prefix = "sha256:"sv;

// A line that may be the builder's is waited for this long: an instruction can be long, but not like this.
constexpr std::size_t longest_line = std::size_t{1} << 20;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char letter) { return is_digit(letter) || (letter >= 'a' && letter <= 'f'); });
}

// A short or long id: buildah's old short ones had 11 digits, dockerd's have 12.
bool is_id(std::string_view text) { return text.size() >= 11 && text.size() <= 64 && is_hex(text); }

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, int& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// Takes "[1/3] ", which buildah puts before its lines when there are several stages.
std::string_view take_stage(std::string_view& line) {
  std::string_view rest = line;
  int number = 0;
  if (!take_prefix(rest, "[") || !take_number(rest, number) || !take_prefix(rest, "/") ||
      !take_number(rest, number) || !take_prefix(rest, "] "))
    return {};
  const std::string_view stage = line.substr(0, line.size() - rest.size());
  line = rest;
  return stage;
}

// Whether one of the two, neither of them empty, begins with the other.
bool agree(std::string_view part, std::string_view whole) {
  if (part.front() != whole.front()) return false;
  const std::size_t size = std::min(part.size(), whole.size());
  return part.substr(0, size) == whole.substr(0, size);
}

}  // namespace

bool build_text::parse_step(std::string_view line, step_line& step) {
  step.stage = take_stage(line);
  step.podman = take_prefix(line, buildah_step);
  if (!step.podman && !take_prefix(line, dockerd_step)) return false;
  if (!take_number(line, step.index) || !take_prefix(line, "/") || !take_number(line, step.total) ||
      !take_prefix(line, step.podman ? ": "sv : " : "sv))
    return false;
  step.instruction = line;
  return step.index > 0;
}

bool build_text::take_step(const step_line& step) {
  const bool new_stage = step.stage != stage_;
  if (speaker_ == speaker::container) return false;
  if (speaker_ == speaker::buildah) {
    if (!step.podman) return false;
    if (step.index != (new_stage ? 1 : stage_index_ + 1)) return false;
  }
  podman_ = step.podman;
  stage_ = step.stage;
  stage_index_ = step.index;
  total_ = step.total;
  // buildah counts each stage from 1, and leaves out the stages that nobody needs.
  index_ = stage_.empty() ? step.index : index_ + 1;
  speaker_ = podman_ ? speaker::buildah : speaker::builder;
  container_.clear();
  told_.on_step(index_, stage_.empty() ? total_ : 0, step.instruction);
  return true;
}

bool build_text::take_dockerd_arrow(std::string_view rest) {
  if (speaker_ == speaker::buildah) return false;
  if (speaker_ == speaker::container) {
    const bool ends = take_prefix(rest, removed) ? rest == container_ : is_id(rest);
    if (ends) speaker_ = speaker::builder;
    return ends;
  }
  if (rest == "Using cache") {
    told_.on_cached();
  } else if (take_prefix(rest, warned)) {
    told_.on_warning(rest);
  } else if (take_prefix(rest, "Running in ")) {
    container_ = rest;
    speaker_ = speaker::container;
  } else if (!is_id(rest)) {
    return index_ > 0 && !podman_;
  }
  return true;
}

bool build_text::take_buildah_arrow(std::string_view rest) {
  if (speaker_ == speaker::container) return false;
  const bool cached = take_prefix(rest, "Using cache ");
  if (!is_id(rest)) return false;
  if (cached) told_.on_cached();
  speaker_ = speaker::builder;
  return true;
}

// "COMMIT" or "COMMIT name" after the last step of a stage. Programs print that too (psql does), so it waits
// for what comes next.
bool build_text::take_commit(std::string_view line) {
  if (!podman_ || speaker_ == speaker::container || stage_index_ != total_) return false;
  std::string_view rest = line;
  take_stage(rest);
  if (!take_prefix(rest, commit) || !(rest.empty() || rest.front() == ' ')) return false;
  commit_ = line;
  return true;
}

bool build_text::take_result(std::string_view line) {
  std::string_view rest = line;
  if (take_prefix(rest, built) && is_id(rest)) {
    told_.on_built(rest);
    return true;
  }
  rest = line;
  if (take_prefix(rest, tagged)) {
    told_.on_tagged(rest);
    return true;
  }
  if (take_prefix(rest, warned)) {
    told_.on_warning(rest);
    return true;
  }
  if (take_prefix(rest, triggers)) return rest.find(" build trigger") != std::string_view::npos;
  // The id alone: all that a quiet build says, and one of the last lines of buildah.
  take_prefix(rest, digest_prefix);
  if (rest.size() != 64 || !is_hex(rest)) return false;
  told_.on_image_id(rest);
  return true;
}

bool build_text::take(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::string_view rest = line;
  const auto taken = [&] {
    step_line step;
    if (take_prefix(rest, dockerd_arrow)) return take_dockerd_arrow(rest);
    if (take_prefix(rest, buildah_arrow)) return take_buildah_arrow(rest);
    if (take_prefix(rest, removing)) {
      if (speaker_ == speaker::buildah || (speaker_ == speaker::container && rest != container_))
        return false;
      speaker_ = speaker::builder;
      return true;
    }
    if (parse_step(line, step)) return take_step(step);
    return speaker_ == speaker::builder && take_result(line);
  };
  if (taken()) {
    commit_.clear();
    return true;
  }
  // A second one shows that the first was a program's.
  return commit_.empty() && take_commit(line);
}

bool build_text::may_begin(std::string_view part) const {
  const bool stage = part.front() == '[' && (part.size() == 1 || is_digit(part[1]));
  switch (speaker_) {
    case speaker::container: return agree(part, dockerd_arrow) || agree(part, removing);
    case speaker::buildah:
      return stage || agree(part, buildah_step) || agree(part, buildah_arrow) || agree(part, commit);
    case speaker::builder: break;
  }
  if (stage) return true;
  for (const auto known : {dockerd_arrow, buildah_arrow, dockerd_step, buildah_step, removing, commit, built,
                           tagged, warned, triggers})
    if (agree(part, known)) return true;
  std::string_view digits = part;
  if (!take_prefix(digits, digest_prefix) && agree(part, digest_prefix)) return true;
  digits = digits.substr(0, digits.find_first_of("\r\n"));
  return digits.size() <= 64 && is_hex(digits);
}

void build_text::log(output_stream stream, std::string_view bytes) {
  if (!commit_.empty()) {
    commit_ += '\n';
    told_.on_log(output_stream::out, commit_);
    commit_.clear();
  }
  if (!bytes.empty()) told_.on_log(stream, bytes);
}

void build_text::add(std::string_view text) {
  if (text.size() >= red.size() + reset.size() && text.starts_with(red) && text.ends_with(reset)) {
    settle();
    text.remove_prefix(red.size());
    text.remove_suffix(reset.size());
    log(output_stream::err, text);
    return;
  }
  if (!held_.empty()) {
    // What was held and this message may make a line of the builder's together; if they do not, this message
    // may still begin with one.
    const std::size_t end = text.find('\n');
    std::string line = std::exchange(held_, {});
    const std::size_t held_size = line.size();
    line += text.substr(0, end);
    if (end != std::string_view::npos && take(line)) {
      text.remove_prefix(end + 1);
    } else if (end == std::string_view::npos && line.size() < longest_line && may_begin(line)) {
      held_ = std::move(line);
      return;
    } else {
      log(output_stream::out, std::string_view(line).substr(0, held_size));
    }
  }
  std::size_t logged = 0;  // from here to `at`, the text is a program's
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    if (!may_begin(rest)) {
      const std::size_t end = rest.find('\n');
      at = end == std::string_view::npos ? text.size() : at + end + 1;
      continue;
    }
    const std::size_t end = rest.find('\n');
    const std::string_view before = text.substr(logged, at - logged);
    if (end == std::string_view::npos) {
      if (rest.size() >= longest_line) break;
      log(output_stream::out, before);
      held_ = rest;
      return;
    }
    // The text before the line is told first, since the line may end the step that it belongs to. If the line
    // is no more than a program's after all, its text goes on in the next piece.
    if (!before.empty()) log(output_stream::out, before);
    logged = at;
    at += end + 1;
    if (take(rest.substr(0, end))) logged = at;
  }
  if (logged < text.size()) log(output_stream::out, text.substr(logged));
}

void build_text::settle() {
  const std::string line = std::exchange(held_, {});
  const bool ours = !line.empty() && take(line);
  log(output_stream::out, ours ? std::string_view() : line);
}

}  // namespace dockline::progress
