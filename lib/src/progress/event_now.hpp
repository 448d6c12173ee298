#pragma once

#include "dockline/progress/event.hpp"

#include <chrono>
#include <utility>

namespace dockline::progress {

// What happens now.
inline event event_now(event_body body) {
  event what;
  what.time = std::chrono::system_clock::now();
  what.body = std::move(body);
  return what;
}

}  // namespace dockline::progress
