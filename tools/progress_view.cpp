#include "progress_view.hpp"

#include "option_forms.hpp"

#include <chrono>
#include <string_view>

namespace dockline::tool {

void add_progress(CLI::App& command, std::string& how) {
  add_one(command, "--progress", how, "auto|plain|json", "How it is shown on standard error (auto)")
      ->transform(CLI::IsMember({"auto", "plain", "json"}).description(""));
}

progress_view::progress_view(const std::string& how, bool quiet, console& terminal) {
  if (quiet) return;
  const auto write = [&terminal](std::string_view text) { terminal.err(text); };
  if (how == "json") {
    json_.emplace(write);
  } else {
    plain_.emplace(write);
  }
}

void progress_view::show(const progress::event& what) {
  if (plain_) plain_->show(what);
  if (json_) json_->show(what);
}

void progress_view::warn(const std::string& text) {
  progress::event what;
  what.time = std::chrono::system_clock::now();
  what.body = progress::warning{text};
  show(what);
}

void progress_view::finish() {
  if (plain_) plain_->finish();
}

}  // namespace dockline::tool
