#pragma once

#include <dockline/core/error.hpp>
#include <dockline/progress/event.hpp>

#include "console.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace dockline::tool {

// Declares --progress.
void add_progress(CLI::App& command, std::string& how);

// What progress_display takes for --progress and --quiet.
inline std::string shown_as(const std::string& how, bool quiet) { return quiet ? "none" : how; }

// How the events of an operation are shown on standard error, for every command with --progress.
//
//     progress_display display(executor, arguments.progress, "Building", terminal);
//     ... async_build(daemon, source, options, display.sink(), why, no_throw);
//     display.finish(code);
//
// `how`: "auto" and "tty" draw in place where standard error is a terminal that can do that, and write lines
// where it is not; "plain" writes lines, "json" a JSON object an event, "none" nothing. While it draws, what
// `terminal` is given for standard error goes above what is drawn; the size of the window is followed, and
// after a stop (Ctrl-Z) the display is drawn anew. It needs no mending of the terminal, however the process
// ends. To be used on the executor's single thread.
class progress_display {
 public:
  progress_display(boost::asio::any_io_executor executor, const std::string& how, std::string title,
                   console& terminal);
  ~progress_display();
  progress_display(const progress_display&) = delete;
  progress_display& operator=(const progress_display&) = delete;

  // Takes the events. Valid as long as this object.
  progress::event_sink sink();

  // Shows a warning of the tool's own among the events.
  void warn(const std::string& text);

  // Ends what is shown. To be called before the outcome is printed; the destructor does it otherwise.
  void finish(error_code outcome);

 private:
  struct view;
  struct lines;
  struct json;
  class live;

  std::shared_ptr<view> view_;
};

// Whether standard error is a terminal that understands cursor movement: TERM is set, and not "dumb".
bool is_drawing_terminal();

}  // namespace dockline::tool
