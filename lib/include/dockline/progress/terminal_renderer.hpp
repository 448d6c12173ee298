#pragma once

// Events as a display that is drawn anew in place, for a person at a terminal:
//
//      => transferring context: 12.3MB 1,234 files                              DONE 0.4s
//      => [1/7] FROM debian:12                                                CACHED 0.0s
//     [+] Building 2.3s (1/7)
//      => [2/7] RUN make                                                             1.2s
//      => => cc -o app app.c
//
// What is over stays as a line above the display and is never touched again; the display itself holds what
// runs, with its last lines of output, and a bar for each layer that is on its way.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"
#include "dockline/progress/event.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dockline::progress {

// What the terminal is like.
struct terminal_options {
  terminal_options() = default;

  // What the first line says is done: "Building", "Pushing".
  std::string title = "Building";
  // In columns. Where it is not positive, 80 is taken.
  int width = 80;
  // In lines. Where it is not positive, 24 is taken.
  int height = 24;
  // A few colours. The caller asks the environment (NO_COLOR).
  bool colour = true;
  // The columns that a character takes: 0, 1 or 2. Empty: those of Unicode 14, whatever the locale.
  std::function<int(char32_t)> width_of;
};

// A value that eats events and gives bytes for the terminal; it reads no clock and writes nothing. The bytes
// of each call are to be written before those of the next. Between calls the cursor is visible, at the start
// of the line below the display, and the terminal's modes are as they were: a program that is killed leaves
// nothing to be mended.
//
// Sequences that are used: cursor up and down, erase to the end of the line and of the screen, colours, and,
// while a change is drawn, a hidden cursor, no automatic wrap, and synchronised output (DEC mode 2026, which
// a terminal that does not know it ignores). What comes from outside is shown as progress::printable() says.
class DOCKLINE_API terminal_renderer {
 public:
  // Nothing is drawn before the first tick.
  explicit terminal_renderer(terminal_options options = terminal_options());
  ~terminal_renderer();
  terminal_renderer(const terminal_renderer&) = delete;
  terminal_renderer& operator=(const terminal_renderer&) = delete;

  // Takes an event in. Nothing is drawn before the next tick.
  void show(const event& what);

  // What has to be written so that the terminal shows the state at `now`: only the lines that changed, and
  // nothing at all less than 100 ms after the last time. To be called some ten times a second.
  std::string tick(event_time now);

  // Puts lines above the display, at once: a warning or error of the caller's.
  std::string above(std::string_view lines, event_time now);

  // The terminal has another size from now on. Draws anew. Terminals that break long lines anew when they
  // become narrower (most do) are left without remains, unless a tick drew between their change and this.
  std::string resize(int width, int height, event_time now);

  // Draws the display anew below the cursor, without a look at what was there: after the program was stopped
  // and continued, others have written to the terminal.
  std::string redraw(event_time now);

  // Takes the display away and leaves the transcript: what was not over is marked CANCELED, of a failed step
  // the last lines of output are shown, and a last line has the time and `outcome`: FINISHED, CANCELED or
  // FAILED. The reason of a failure is left to the caller, who says it once. Nothing is drawn after it.
  std::string finish(event_time now, error_code outcome);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace dockline::progress
