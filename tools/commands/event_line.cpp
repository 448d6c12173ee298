#include "commands/event_line.hpp"

#include <dockline/progress/printable.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

namespace dockline::tool {

std::string event_line(const engine::daemon_event& event) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(event.time);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(event.time - whole).count();
  std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z {} {} {}",
                                 fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), rest, event.type,
                                 event.action, event.id);
  std::string attributes;
  for (const auto& [name, value] : event.attributes) {
    attributes += attributes.empty() ? "" : ", ";
    attributes += name + "=" + value;
  }
  if (!attributes.empty()) text += " (" + attributes + ")";
  return progress::printable(text);
}

}  // namespace dockline::tool
