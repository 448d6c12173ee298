#include "progress/build_messages.hpp"

#include "progress/frequent_messages.hpp"
#include "progress/layer_messages.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace dockline::progress {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t tail_lines = 20;
constexpr std::size_t tail_bytes = 16 * 1024;

// The exit code at the end of an error's text, for the builders that tell it only there: dockerd's, podman's,
// BuildKit's.
std::optional<int> exit_code_in(std::string_view text) {
  std::size_t best = 0;
  std::optional<int> code;
  for (const auto marker : {"returned a non-zero code: "sv, "exit status "sv, "exit code: "sv}) {
    const std::size_t at = text.rfind(marker);
    if (at == std::string_view::npos || (code && at < best)) continue;
    const std::string_view rest = text.substr(at + marker.size());
    int number = 0;
    const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (failure != std::errc()) continue;
    const std::string_view after = rest.substr(static_cast<std::size_t>(end - rest.data()));
    if (!after.empty() && after.front() != ':') continue;
    best = at;
    code = number;
  }
  return code;
}

// The instruction in podman's `building at STEP "RUN make": …`, for a quiet build, which tells no steps.
std::string_view instruction_in(std::string_view text) {
  constexpr auto before = "building at STEP \""sv;
  constexpr auto after = "\": "sv;
  if (!text.starts_with(before)) return {};
  text.remove_prefix(before.size());
  const std::size_t end = text.find(after);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

std::string_view without_end(std::string_view text, std::string_view letters) {
  const std::size_t last = text.find_last_not_of(letters);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// What podman adds to a name that the caller gave without it.
std::string_view familiar(std::string_view reference) {
  for (const auto prefix : {"docker.io/library/"sv, "docker.io/"sv, "localhost/"sv})
    if (reference.starts_with(prefix)) return reference.substr(prefix.size());
  return reference;
}

}  // namespace

build_messages::build_messages(event_sink events, unknown_sink unknown)
    : events_(std::move(events)), unknown_(std::move(unknown)), log_{{}, step_log{}} {}

error_code build_messages::add(std::string_view message, event_time now) {
  now_ = now;
  if (const auto text = read_stream_message(message, unescaped_)) {
    add_text(*text);
    return {};
  }
  if (const auto layer = read_layer_message(message)) {
    text_.settle();
    emit(layer_of(*layer));
    return {};
  }
  if (const error_code failure = document_.parse(message)) return failure;
  const json::value root = document_.root();
  if (const auto text = root.find("stream").as_string()) {
    add_text(*text);
    return {};
  }
  text_.settle();
  if (root.find("errorDetail").exists() || root.find("error").exists()) {
    fail(root);
  } else if (const auto id = root.find("aux").find("ID").as_string()) {
    image_id_ = id->size() == 64 ? "sha256:" + std::string(*id) : std::string(*id);
  } else if (root.find("status").is_string()) {
    emit(layer_of(root));
  } else if (unknown_) {
    unknown_(message);
  }
  return {};
}

void build_messages::add_text(std::string_view text) {
  if (!text.empty()) text_.add(text);
}

void build_messages::fail(const json::value& message) {
  if (failure_) return;
  // With an image there, what fails is not the step that made it.
  if (!image_id_.empty()) finish_step();
  const json::value detail = message.find("errorDetail");
  std::string_view reason = detail.find("message").string_or_empty();
  if (reason.empty()) reason = message.find("error").string_or_empty();
  // podman prints the whole of what it made of a line that it does not understand.
  reason = without_end(reason.substr(0, reason.find(" &imagebuilder.Step{")), " \r\n");
  failed_step& step = failure_.emplace();
  step.index = index_;
  step.total = index_ > 0 ? total_ : 0;
  step.instruction = index_ > 0 ? std::string_view(instruction_) : instruction_in(reason);
  // 0 is what dockerd gives with an error that has no code.
  if (const auto code = detail.find("code").as_int(); code && *code != 0)
    step.exit_code = static_cast<int>(*code);
  else
    step.exit_code = exit_code_in(reason);
  step.reason = reason;
  step.log_tail = tail_.last(tail_lines, tail_bytes);
  if (index_ == 0) return;
  emit(step_failed{index_, step.exit_code, step.reason, false, step.log_tail});
  index_ = 0;
}

void build_messages::finish_step() {
  if (index_ == 0) return;
  emit(step_finished{index_});
  index_ = 0;
}

error_code build_messages::finish(event_time now) {
  now_ = now;
  text_.settle();
  if (failure_) {
    image_id_.clear();
    return errc::build_failed;
  }
  // dockerd tells the image of every stage: before the last step, it is not the one that was asked for.
  if (!built_ && index_ < total_) image_id_.clear();
  if (image_id_.empty()) return errc::no_outcome;
  finish_step();
  if (image_id_.starts_with("sha256:")) emit(image_built{image_id_});
  for (std::string& tag : std::exchange(tags_, {})) emit(image_tagged{std::move(tag)});
  return {};
}

void build_messages::on_step(int index, int total, std::string_view instruction) {
  finish_step();
  index_ = index;
  total_ = total;
  instruction_ = instruction;
  cached_ = false;
  tail_.clear();
  // An image that came before was a stage's; the build goes on, and has to tell another.
  image_id_.clear();
  built_ = false;
  emit(step_started{index, total, instruction_});
}

void build_messages::on_cached() {
  if (index_ == 0 || std::exchange(cached_, true)) return;
  emit(step_cached{index_});
}

void build_messages::on_log(output_stream stream, std::string_view bytes) {
  tail_.append(bytes);
  log_.time = now_;
  auto& log = std::get<step_log>(log_.body);
  log.index = index_;
  log.stream = stream;
  log.bytes = bytes;
  if (events_) events_(log_);
}

void build_messages::on_image_id(std::string_view digits) { image_id_ = "sha256:" + std::string(digits); }

void build_messages::on_built(std::string_view short_id) {
  built_ = true;
  if (image_id_.empty()) image_id_ = short_id;
}

void build_messages::on_tagged(std::string_view reference) {
  // podman tells each tag twice, in full and as the caller wrote it.
  const auto known = std::find_if(tags_.begin(), tags_.end(), [&](const std::string& tag) {
    return familiar(tag) == familiar(reference);
  });
  if (known == tags_.end())
    tags_.emplace_back(reference);
  else
    *known = reference;
}

void build_messages::on_warning(std::string_view text) { emit(warning{std::string(text)}); }

void build_messages::emit(event_body body) {
  if (events_) events_({now_, std::move(body)});
}

}  // namespace dockline::progress
