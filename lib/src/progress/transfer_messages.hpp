#pragma once

// From the JSON messages that answer a push, pull, load or import to events and an outcome: of dockerd, with
// either of its image stores, and of podman.

#include "dockline/core/error.hpp"
#include "dockline/progress/event.hpp"

#include "core/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::progress {

// Which operation is answered: what shows that it has succeeded differs.
enum class transfer { push, pull, load, import };

class transfer_messages {
 public:
  transfer_messages(transfer kind, event_sink events);

  // Takes one message. `now` becomes the time of the events that it gives. malformed_json when it is not
  // JSON.
  error_code add(std::string_view message, event_time now);

  // Says that the stream has ended, and tells how the operation went: no error; for a stream that told an
  // error unauthorized, denied or not_found where the daemon passed a registry's code on, else
  // operation_failed; no_outcome for one that told neither an error nor that the operation is done. Gives the
  // last events, transfer_finished and image_loaded.
  error_code finish(event_time now);

  // Of the manifest that was pushed or pulled last: "sha256:" and 64 digits. podman's pull does not tell it.
  const std::string& digest() const noexcept { return last().digest; }
  // Of that manifest in bytes; 0 for a pull.
  std::uint64_t size() const noexcept { return last().size; }
  const std::string& tag() const noexcept { return last().tag; }
  // All tags: a push without one goes through all of the repository.
  const std::vector<transfer_finished>& finished() const noexcept { return finished_; }

  // What a load or import has brought: names, or "sha256:" and 64 digits; of podman's pull, the image's short
  // id.
  const std::vector<std::string>& images() const noexcept { return images_; }

  // What the daemon said went wrong; empty when nothing did.
  const std::string& failure_words() const noexcept { return failure_words_; }

 private:
  void add_layer(layer_progress layer);
  bool take_result(const layer_progress& line);
  void add_aux(const json::value& aux);
  void add_text(std::string_view text);
  bool take_loaded(std::string_view line);
  void add_loaded(std::string_view references);
  void fail(const json::value& message);
  transfer_finished& of_tag(std::string_view tag);
  const transfer_finished& last() const noexcept;
  bool is_done() const;
  void emit(event_body body);

  transfer kind_;
  event_sink events_;
  json::document document_;
  event_time now_;

  bool pulling_ = false;  // dockerd's pull: "Pulling from …" came
  std::string pulled_tag_;
  std::string completed_;     // podman's pull: the id of "Download complete", when nothing came after it
  bool status_seen_ = false;  // dockerd's pull: "Status: …" came
  std::vector<transfer_finished> finished_;
  std::vector<std::string> images_;
  bool failed_ = false;
  std::string failure_words_;
};

// The code for what a daemon says of a registry's refusal. Daemons print the registry's error code ("denied",
// "manifest unknown") or its HTTP status as one link of a chain "what was done: why: why that": the last link
// that is such a code decides, and words in which none stands alone are operation_failed.
errc registry_failure(std::string_view words);

}  // namespace dockline::progress
