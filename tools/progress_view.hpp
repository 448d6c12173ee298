#pragma once

#include <dockline/progress/json_renderer.hpp>
#include <dockline/progress/plain_renderer.hpp>

#include "console.hpp"

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace dockline::tool {

// Declares --progress.
void add_progress(CLI::App& command, std::string& how);

// Shows events on standard error, as they were asked for.
class progress_view {
 public:
  // `how` is a value of --progress; quiet shows nothing.
  progress_view(const std::string& how, bool quiet, console& terminal);
  progress_view(const progress_view&) = delete;
  progress_view& operator=(const progress_view&) = delete;

  void show(const progress::event& what);
  // Something that a person should know, as an event of its own.
  void warn(const std::string& text);
  // Nothing more will happen.
  void finish();

  // To be given to an operation; the view has to outlast it.
  progress::event_sink sink() {
    return [this](const progress::event& what) { show(what); };
  }

 private:
  std::optional<progress::plain_renderer> plain_;
  std::optional<progress::json_renderer> json_;
};

}  // namespace dockline::tool
