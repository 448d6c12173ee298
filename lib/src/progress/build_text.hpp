#pragma once

// Tells what the builder says from what the programs of a build print, in the text of a build's `stream`
// messages, where both come mixed.

#include "dockline/progress/event.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace dockline::progress {

// Knows the lines of dockerd's classic builder and of buildah (podman). A message of the stream is whatever
// one write gave: half a line, or many. What the builder says begins at the start of a message or of a line,
// and is believed only where the builder can be speaking: while a program runs, the lines that end its run
// are all that is not its output. So a program may print "Successfully built 0123abcd" and fool nobody.
class build_text {
 public:
  // Told what the text means, in order.
  class listener {
   public:
    // `total` 0: not told. `index` counts on through the stages of a build.
    virtual void on_step(int index, int total, std::string_view instruction) = 0;
    virtual void on_cached() = 0;
    virtual void on_log(output_stream stream, std::string_view bytes) = 0;
    virtual void on_image_id(std::string_view digits) = 0;  // 64 hexadecimal digits, on a line of their own
    virtual void on_built(std::string_view short_id) = 0;
    virtual void on_tagged(std::string_view reference) = 0;
    virtual void on_warning(std::string_view text) = 0;

   protected:
    ~listener() = default;
  };

  explicit build_text(listener& told) : told_(told) {}
  build_text(const build_text&) = delete;
  build_text& operator=(const build_text&) = delete;

  // The text of one message.
  void add(std::string_view text);
  // Says that no text continues what is there: another kind of message came, or the end.
  void settle();

 private:
  enum class speaker {
    builder,    // between the steps, and where a step runs no program
    container,  // dockerd, after " ---> Running in …"
    buildah,    // podman, from a step's line on, since it does not say whether a program runs
  };
  struct step_line {
    std::string_view stage;  // "[1/3] " of podman, else empty
    bool podman = false;
    int index = 0;
    int total = 0;
    std::string_view instruction;
  };

  static bool parse_step(std::string_view line, step_line& step);
  bool may_begin(std::string_view part) const;
  // Whether the line is the builder's; if so, it has been told.
  bool take(std::string_view line);
  bool take_step(const step_line& step);
  bool take_dockerd_arrow(std::string_view rest);
  bool take_buildah_arrow(std::string_view rest);
  bool take_commit(std::string_view line);
  bool take_result(std::string_view line);
  void log(output_stream stream, std::string_view bytes);

  listener& told_;
  speaker speaker_ = speaker::builder;
  std::string held_;       // the beginning of a line that may be the builder's
  std::string commit_;     // a line that is buildah's when the next one is buildah's too
  std::string container_;  // that dockerd runs the step in
  std::string stage_;
  bool podman_ = false;
  int index_ = 0;        // of the current step, counted through all stages
  int stage_index_ = 0;  // the same, counted by the builder
  int total_ = 0;
};

}  // namespace dockline::progress
