#pragma once

// From what BuildKit tells of a build's steps to events.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"
#include "dockline/progress/event.hpp"

#include "buildkit/build_status.hpp"
#include "progress/log_tail.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {

// Which place a step's title says it has, and what it does: "[builder 2/4] RUN make".
struct step_place {
  step_place() = default;

  std::string stage;  // "builder", or empty; "internal" for what is no instruction
  int index = 0;      // 0: not told
  int total = 0;
  std::string instruction;  // the title without its place
};
step_place read_step_title(std::string_view title);

// Steps get numbers as they start. A step that BuildKit takes up again is started again, under its number;
// the short look at its cache key that it takes first is not told as a run of its own.
class trace {
 public:
  explicit trace(progress::event_sink events);

  // Takes one StatusResponse. `now` is the time of events of which the daemon does not tell its own; the
  // daemon's clock is taken to be as wrong as it was at its first message.
  // Errors: errc::malformed_message.
  error_code add(std::string_view status, progress::event_time now);

  // Nothing more will come: ends the steps that are over. `failed`: those that still run are cancelled.
  void finish(progress::event_time now, bool failed);

  // The step whose failure is the build's, with its place in its stage; null when no step failed.
  const failed_step* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }
  // What BuildKit calls it.
  const std::string& failed_title() const noexcept { return failed_title_; }

 private:
  struct step;
  struct member {
    step* of = nullptr;
    bool runs = false;
    bool done = false;    // at least once
    bool cached = false;  // the last time
    std::optional<moment> started;
  };
  // One of BuildKit's steps, or several that it shows as one.
  struct step {
    std::string title;
    std::vector<const member*> members;
    std::size_t runs = 0;  // of them, now
    int index = 0;         // 0: nothing was shown of it yet
    bool worth_showing = false;
    bool open = false;       // started, and its end not told
    bool waiting = false;    // its end is known and not told yet,
    bool may_go_on = false;  // since it may be taken up again at once
    progress::event_time ended;
    progress::event_time ended_seen;
    std::string error;
    progress::log_tail tail;
  };

  void on(const vertex& what);
  void on(const vertex_status& what);
  void on(const vertex_log& what);
  void on(const vertex_warning& what);
  member* known(const vertex& what);
  step* step_of(std::string_view digest);
  void open(step& which, std::optional<moment> at);
  void close(step& which);
  template <class Kept>
  void close_certain(Kept kept);
  progress::event_time time_of(std::optional<moment> at);
  void emit(progress::event_time at, progress::event_body body);

  progress::event_sink events_;
  build_status status_;
  progress::event log_;  // used again for each piece of a log
  progress::event_time now_;
  std::optional<progress::event_time::duration> clock_difference_;
  std::map<std::string, member, std::less<>> members_;
  std::map<std::string, step, std::less<>> steps_;  // by group, or by digest
  std::vector<step*> waiting_;
  std::size_t name_bytes_ = 0;
  int started_ = 0;
  std::optional<failed_step> failure_;
  std::string failed_title_;
};

}  // namespace dockline::buildkit
