#pragma once

// Events as lines of text, for a person without a terminal and for the log of a CI system:
//
//     #1 transferring context: 12.3MB 1,234 files
//     #1 DONE 0.4s
//
//     #2 [1/7] FROM debian:12
//     #2 CACHED
//
//     #3 [2/7] RUN make
//     #3 0.412 cc -o app app.c
//     #3 DONE 1.2s

#include "dockline/core/export.hpp"
#include "dockline/progress/event.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace dockline::progress {

// Events as lines of text.
class DOCKLINE_API plain_renderer {
 public:
  // Given one or more whole lines, each with its '\n'. Must not throw.
  using writer = std::function<void(std::string_view)>;

  // Lines go to `out`, from within show() and finish().
  explicit plain_renderer(writer out);
  plain_renderer(const plain_renderer&) = delete;
  plain_renderer& operator=(const plain_renderer&) = delete;

  // Writes the lines that the event completes. A line of a log that has not ended yet is kept until it has,
  // or until its step is over; of a line that overwrites itself with '\r', the last state is written. What
  // comes from outside is written as progress::printable() says.
  void show(const event& what);

  // Writes what is still kept, and of the step that the build failed by its last lines once more. To be called when
  // nothing more will happen.
  void finish();

 private:
  // A line of a program that has not ended yet.
  struct open_line {
    std::string text;
    bool returned = false;  // the last character was '\r': what comes next overwrites the line
    event_time time;        // of the last bytes
  };
  // Something that a step does.
  struct activity {
    event_time start;
    event_time shown;
    std::uint64_t current = 0;  // when it was shown
    bool complete = false;
  };
  // What has a number: the context, or a step.
  struct group {
    int number = 0;
    std::string title;
    event_time start;
    bool cached = false;
    int running = 0;      // its step's index, while that runs
    bool titled = false;  // its title was written
    open_line out;
    open_line err;
    std::map<std::string, activity, std::less<>> activities;
  };
  struct layer {
    std::string status;
    event_time shown;
  };

  void on(const context_progress& what);
  void on(const step_started& what);
  void on(const step_cached& what);
  void on(const step_finished& what);
  void on(const step_failed& what);
  void on(const step_log& what);
  void on(const layer_progress& what);
  void on(const transfer_finished& what);
  void on(const warning& what);
  void on(const image_built& what);
  void on(const image_tagged& what);
  void on(const image_loaded& what);
  void on(const step_status& what);
  void on(const builder_chosen& what);

  group& step(int index);
  void add_log(group& owner, open_line& line, std::string_view bytes);
  void end_line(group& owner, open_line& line);
  void end_lines(group& owner);
  void close(group& owner, std::string_view how);
  void write_line(group& owner, std::string_view text);
  void show_what_runs();
  void flush();

  writer out_;
  std::string pending_;
  std::string failed_title_;  // of the step that the build failed by
  std::string failed_tail_;   // its last lines; empty: none
  event_time now_;
  int numbers_ = 0;
  group no_step_;  // logs that belong to no step; its number stays 0
  group context_;
  event_time context_shown_;
  std::map<int, group> steps_;
  std::map<std::string, layer> layers_;
  std::set<int> all_running_;
  int running_ = 0;              // the step that started last and is not over; layers belong to it
  const group* last_ = nullptr;  // whose line was written last; null after a group's end
};

}  // namespace dockline::progress
