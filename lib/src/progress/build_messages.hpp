#pragma once

// From the JSON messages that answer POST /build to events and an outcome: of dockerd's classic builder, of
// podman, and, but for its trace, of BuildKit.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"
#include "dockline/progress/event.hpp"

#include "core/json.hpp"
#include "progress/build_text.hpp"
#include "progress/log_tail.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::progress {

class build_messages final : private build_text::listener {
 public:
  // Given each message that this decoder does not know, such as BuildKit's trace, as it came.
  using unknown_sink = std::function<void(std::string_view message)>;

  explicit build_messages(event_sink events, unknown_sink unknown = {});

  // Takes one message. `now` becomes the time of the events that it gives. malformed_json when it is not
  // JSON.
  error_code add(std::string_view message, event_time now);

  // Says that the stream has ended, and tells how the build went: no error, build_failed, or no_outcome for a
  // stream that told neither an image nor an error (podman ends so when it believes the client gone). Gives
  // the last events: of the step, the image and its tags.
  error_code finish(event_time now);

  // The image that was built: "sha256:" and 64 digits, or, from a daemon that told no more, the short id of
  // "Successfully built", for which there is no image_built event. Empty when there is none.
  const std::string& image_id() const noexcept { return image_id_; }

  // Where and why the build failed; null when it did not.
  const failed_step* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }

 private:
  void on_step(int index, int total, std::string_view instruction) override;
  void on_cached() override;
  void on_log(output_stream stream, std::string_view bytes) override;
  void on_image_id(std::string_view digits) override;
  void on_built(std::string_view short_id) override;
  void on_tagged(std::string_view reference) override;
  void on_warning(std::string_view text) override;

  void add_text(std::string_view text);
  void fail(const json::value& message);
  void finish_step();
  void emit(event_body body);

  event_sink events_;
  unknown_sink unknown_;
  build_text text_{*this};
  json::document document_;
  std::string unescaped_;
  event log_;  // used again for each piece of a log, so that it costs no allocation
  event_time now_;

  int index_ = 0;  // of the current step; 0 between steps that are over and the start
  int total_ = 0;
  std::string instruction_;
  bool cached_ = false;
  log_tail tail_;

  std::string image_id_;
  bool built_ = false;  // "Successfully built" came
  std::vector<std::string> tags_;
  std::optional<failed_step> failure_;
};

}  // namespace dockline::progress
