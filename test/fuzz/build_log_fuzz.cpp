// However a log of Cloud Build is cut, it gives the same events; each step that starts ends, once.

#include "gcp/build_log.hpp"
#include "support/event_listing.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace dockline;

struct outcome {
  std::string events;
  bool failed = false;

  bool operator==(const outcome&) const = default;
};

// Pieces of 1 to 8 bytes, as `seed` says; 0: one piece.
outcome split(std::string_view text, std::uint32_t seed, int steps, bool succeeded) {
  outcome seen;
  std::map<int, int> open;
  const auto listener = [&](const progress::event& what) {
    seen.events += progress::list_event(what) + '\n';
    if (const auto* started = std::get_if<progress::step_started>(&what.body)) ++open[started->index];
    if (const auto* finished = std::get_if<progress::step_finished>(&what.body)) --open[finished->index];
    if (const auto* failed = std::get_if<progress::step_failed>(&what.body)) --open[failed->index];
  };
  gcp::build_log log(listener, steps, steps - 1);
  while (!text.empty()) {
    seed = seed * 1664525 + 1013904223 * (seed != 0);
    const std::string_view piece = text.substr(0, seed == 0 ? text.size() : 1 + (seed >> 29));
    text.remove_prefix(piece.size());
    log.add(piece, {});
  }
  log.finish({}, succeeded);
  for (const auto& [index, count] : open) {
    if (count != 0) std::abort();
  }
  seen.failed = log.failure() != nullptr;
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Lines longer than are held are told in the pieces in which they come.
  if (text.size() > 32 * 1024) return 0;
  const int steps = 1 + (data[0] & 1);
  const bool succeeded = (data[0] & 2) != 0;
  const outcome whole = split(text, 0, steps, succeeded);
  if (split(text, 1 + static_cast<std::uint32_t>(size), steps, succeeded) != whole) std::abort();
  return 0;
}
