#pragma once

#include <dockline/engine/events.hpp>

#include <string>

namespace dockline::tool {

// "2026-11-23T14:36:35.123456789Z container start 4f6… (image=app:1, name=web)", as docker shows an event,
// but for the time, which is UTC's.
std::string event_line(const engine::daemon_event& event);

}  // namespace dockline::tool
