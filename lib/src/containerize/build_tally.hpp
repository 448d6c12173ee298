#pragma once

// What a build's events add up to, on their way to the caller.

#include "dockline/containerize/image_builder.hpp"
#include "dockline/progress/event.hpp"

#include "progress/event_now.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dockline::containerize {

class build_tally {
 public:
  explicit build_tally(progress::event_sink listener) : listener_(std::move(listener)) {}

  void tell(const progress::event& what) {
    if (const auto* step = std::get_if<progress::step_started>(&what.body)) {
      steps_ = std::max({steps_, step->index, step->total});
    } else if (const auto* cached = std::get_if<progress::step_cached>(&what.body)) {
      // BuildKit's own steps have no number.
      if (cached->index > 0) cached_.insert(cached->index);
    } else if (const auto* context = std::get_if<progress::context_progress>(&what.body)) {
      bytes_sent_ = std::max(bytes_sent_, context->bytes_sent);
    } else if (const auto* warned = std::get_if<progress::warning>(&what.body)) {
      warnings_.push_back(warned->text);
    }
    if (listener_) listener_(what);
  }

  void warn(std::string text) { tell(progress::event_now(progress::warning{std::move(text)})); }

  void add_to(containerized_image& image) const {
    image.steps = steps_;
    image.cached = static_cast<int>(cached_.size());
    image.bytes_sent = bytes_sent_;
    image.warnings = warnings_;
  }

 private:
  progress::event_sink listener_;
  int steps_ = 0;
  std::set<int> cached_;
  std::uint64_t bytes_sent_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace dockline::containerize
