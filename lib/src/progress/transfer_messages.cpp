#include "progress/transfer_messages.hpp"

#include "progress/frequent_messages.hpp"
#include "progress/layer_messages.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace dockline::progress {
namespace {

using namespace std::string_view_literals;

// More tags and images than an operation ends with, and longer than their names may be; a hostile daemon may
// tell what it likes.
constexpr std::size_t most_results = 1000;
constexpr std::size_t longest_name = 4096;

bool is_digest(std::string_view text) {
  constexpr auto algorithm = "sha256:"sv;
  if (!text.starts_with(algorithm) || text.size() != algorithm.size() + 64) return false;
  return text.find_first_not_of("0123456789abcdef", algorithm.size()) == text.npos;
}

// "v1: digest: sha256:… size: 527", with which a push of one tag ends.
std::optional<transfer_finished> pushed_line(std::string_view status) {
  constexpr auto before_digest = ": digest: "sv;
  constexpr auto before_size = " size: "sv;
  const std::size_t digest_at = status.find(before_digest);
  if (digest_at == status.npos) return std::nullopt;
  const std::string_view rest = status.substr(digest_at + before_digest.size());
  const std::size_t size_at = rest.find(before_size);
  if (size_at == rest.npos || !is_digest(rest.substr(0, size_at))) return std::nullopt;
  const std::string_view size = rest.substr(size_at + before_size.size());
  transfer_finished done;
  const auto [end, failure] = std::from_chars(size.data(), size.data() + size.size(), done.size);
  if (failure != std::errc() || end != size.data() + size.size()) return std::nullopt;
  if (digest_at > longest_name) return std::nullopt;
  done.tag = status.substr(0, digest_at);
  done.digest = rest.substr(0, size_at);
  return done;
}

std::string_view without_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \r\n");
  return last == text.npos ? std::string_view() : text.substr(0, last + 1);
}

}  // namespace

errc registry_failure(std::string_view words) {
  constexpr std::array<std::pair<std::string_view, errc>, 15> codes = {{
      {"unauthorized", errc::unauthorized},
      {"authentication required", errc::unauthorized},
      {"no basic auth credentials", errc::unauthorized},
      {"authorization failed", errc::unauthorized},
      {"401 Unauthorized", errc::unauthorized},
      {"denied", errc::denied},
      {"403 Forbidden", errc::denied},
      {"manifest unknown", errc::not_found},
      {"name unknown", errc::not_found},
      {"blob unknown", errc::not_found},
      {"not found", errc::not_found},
      {"404 Not Found", errc::not_found},
      // Of the daemon itself, when it has no such image to push.
      {"tag does not exist", errc::not_found},
      {"An image does not exist locally with the tag", errc::not_found},
      {"image not known", errc::not_found},
  }};
  while (!words.empty()) {
    const std::size_t colon = words.rfind(": ");
    const std::string_view link = without_end(colon == words.npos ? words : words.substr(colon + 2));
    for (const auto& [code, meaning] : codes)
      if (link == code) return meaning;
    words = colon == words.npos ? std::string_view() : words.substr(0, colon);
  }
  return errc::operation_failed;
}

transfer_messages::transfer_messages(transfer kind, event_sink events)
    : kind_(kind), events_(std::move(events)) {}

error_code transfer_messages::add(std::string_view message, event_time now) {
  now_ = now;
  if (const auto layer = read_layer_message(message)) {
    add_layer(layer_of(*layer));
    return {};
  }
  if (const error_code failure = document_.parse(message)) return failure;
  const json::value root = document_.root();
  completed_.clear();
  if (root.find("errorDetail").exists() || root.find("error").exists()) {
    fail(root);
  } else if (const json::value aux = root.find("aux"); aux.is_object()) {
    add_aux(aux);
  } else if (const auto text = root.find("stream").as_string()) {
    add_text(*text);
  } else if (root.find("status").is_string()) {
    add_layer(layer_of(root));
  }
  return {};
}

void transfer_messages::add_layer(layer_progress layer) {
  completed_.clear();
  if (layer.phase == layer_phase::none && take_result(layer)) return;
  if (layer.phase == layer_phase::download_complete) completed_ = layer.id;
  emit(std::move(layer));
}

// Keeps what a line about the image as a whole tells. True when it was a result, for which finish() has an
// event.
bool transfer_messages::take_result(const layer_progress& line) {
  const std::string_view status = line.status;
  switch (kind_) {
    case transfer::push:
      if (auto done = pushed_line(status); done && line.id.empty()) {
        of_tag(done->tag) = std::move(*done);
        return true;
      }
      return false;
    case transfer::pull:
      if (status.starts_with("Pulling from ")) {
        pulling_ = true;
        pulled_tag_ = line.id.substr(0, longest_name);
      } else if (line.id.empty() && status.starts_with("Status: ")) {
        status_seen_ = true;
      } else if (constexpr auto before = "Digest: "sv;
                 line.id.empty() && status.starts_with(before) && is_digest(status.substr(before.size()))) {
        of_tag(pulled_tag_).digest = status.substr(before.size());
        return true;
      }
      return false;
    case transfer::import:
      if (!is_digest(status)) return false;
      add_loaded(status);
      return true;
    case transfer::load: return false;
  }
  return false;
}

void transfer_messages::add_aux(const json::value& aux) {
  if (const std::string_view digest = aux.find("Digest").string_or_empty();
      kind_ == transfer::push && is_digest(digest)) {
    const std::string_view tag = aux.find("Tag").string_or_empty().substr(0, longest_name);
    const auto size = aux.find("Size").as_int().value_or(0);
    transfer_finished& done = of_tag(tag);
    done.digest = digest;
    done.size = size > 0 ? static_cast<std::uint64_t>(size) : 0;
  } else if (aux.find("manifestPushedInsteadOfIndex").as_bool().value_or(false)) {
    emit(warning{"only this machine's platform was pushed: " +
                 std::string(aux.find("selectedManifest").find("digest").string_or_empty()) +
                 ", since the other platforms of the image are not here"});
  } else if (aux.find("contentMissing").as_bool().value_or(false)) {
    emit(warning{"the image names platforms whose content is not here: " +
                 std::string(aux.find("desc").find("digest").string_or_empty())});
  }
}

void transfer_messages::add_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_end(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (kind_ == transfer::load && take_loaded(line)) continue;
    step_log log;
    log.bytes = line;
    log.bytes += '\n';
    emit(std::move(log));
  }
}

bool transfer_messages::take_loaded(std::string_view line) {
  for (const auto before : {"Loaded image: "sv, "Loaded image ID: "sv}) {
    if (!line.starts_with(before)) continue;
    add_loaded(line.substr(before.size()));
    return true;
  }
  return false;
}

// podman tells all names of an image at once: "a:1,b:1".
void transfer_messages::add_loaded(std::string_view references) {
  while (!references.empty() && images_.size() < most_results) {
    const std::size_t end = std::min(references.find(','), references.size());
    if (end > 0 && end <= longest_name) images_.emplace_back(references.substr(0, end));
    references.remove_prefix(std::min(end + 1, references.size()));
  }
}

void transfer_messages::fail(const json::value& message) {
  if (std::exchange(failed_, true)) return;
  std::string_view words = message.find("errorDetail").find("message").string_or_empty();
  if (words.empty()) words = message.find("error").string_or_empty();
  failure_words_ = without_end(words);
}

transfer_finished& transfer_messages::of_tag(std::string_view tag) {
  const auto known = std::ranges::find(finished_, tag, &transfer_finished::tag);
  if (known != finished_.end()) return *known;
  if (finished_.size() < most_results) finished_.emplace_back();
  finished_.back().tag = tag;
  return finished_.back();
}

const transfer_finished& transfer_messages::last() const noexcept {
  static const transfer_finished none;
  return finished_.empty() ? none : finished_.back();
}

bool transfer_messages::is_done() const {
  switch (kind_) {
    case transfer::push: return !finished_.empty();
    // podman tells no more than the image's own id, in its last message. dockerd begins by saying what it
    // pulls, and always has a status at the end.
    case transfer::pull: return status_seen_ || (!pulling_ && !completed_.empty());
    case transfer::load:
    case transfer::import: return !images_.empty();
  }
  return false;
}

error_code transfer_messages::finish(event_time now) {
  now_ = now;
  if (failed_ || !is_done()) {
    finished_.clear();
    images_.clear();
    return failed_ ? registry_failure(failure_words_) : errc::no_outcome;
  }
  if (kind_ == transfer::pull && finished_.empty()) of_tag(pulled_tag_);
  if (kind_ == transfer::pull && !status_seen_) images_.push_back(completed_);
  for (const transfer_finished& done : finished_) emit(done);
  if (kind_ == transfer::load || kind_ == transfer::import)
    for (const std::string& image : images_) emit(image_loaded{image});
  return {};
}

void transfer_messages::emit(event_body body) {
  if (events_) events_({now_, std::move(body)});
}

}  // namespace dockline::progress
