#pragma once

// Events as JSON, for programs: one object a line, with `time` (RFC 3339, UTC, nanoseconds), `event` (the
// event's name as in event.hpp: "step_started") and the event's fields under their names there.
//
//     {"time":"2026-11-23T14:36:35.000000000Z","event":"step_log","index":3,"stream":"stdout","bytes":"hi\n"}
//
// A step_log's `stream` is "stdout" or "stderr"; where its bytes are not UTF-8, `bytes` has U+FFFD in their
// place, and `bytes_base64` beside it has them as they were. A step_failed's `exit_code` may be null; what is
// not known of its log and its lines in the Dockerfile is left out.

#include "dockline/core/export.hpp"
#include "dockline/progress/event.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace dockline::progress {

// The event as one JSON object, without a line end.
DOCKLINE_API std::string to_json(const event& what);

// Events as lines of JSON.
class DOCKLINE_API json_renderer {
 public:
  // Given one whole line, with its '\n'. Must not throw.
  using writer = std::function<void(std::string_view)>;

  // Lines go to `out`, each from within show().
  explicit json_renderer(writer out);

  // Writes the line of one event.
  void show(const event& what);

 private:
  writer out_;
};

}  // namespace dockline::progress
