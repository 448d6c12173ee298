#include "gcp/retry_schedule.hpp"

#include <algorithm>
#include <charconv>

namespace dockline::gcp {
namespace {

// How long it is borne that nobody is there, and never was.
constexpr std::chrono::milliseconds patience_unreached{8'000};
// More than this nobody can mean.
constexpr int longest_retry_after = 24 * 3600;

}  // namespace

std::optional<std::chrono::milliseconds> retry_schedule::failed(time now, bool reached,
                                                                milliseconds asked_for) {
  if (!first_failure_) first_failure_ = now;
  ++failures_;
  if (most_attempts_ > 0 && failures_ >= most_attempts_) return std::nullopt;
  milliseconds delay = options_.first_delay;
  for (int i = 1; i < failures_ && delay < options_.longest_delay; ++i) delay *= 2;
  delay = std::min(delay, options_.longest_delay);
  // Many clients that failed together must not come back together: half of it is by chance.
  const double part = 0.5 + 0.5 * random_();
  delay = milliseconds(static_cast<milliseconds::rep>(static_cast<double>(delay.count()) * part));
  delay = std::max(delay, asked_for);
  reached_ = reached_ || reached;
  const milliseconds budget = reached_ ? options_.budget : std::min(options_.budget, patience_unreached);
  if (now + delay - *first_failure_ > budget) return std::nullopt;
  return delay;
}

std::chrono::milliseconds read_retry_after(std::string_view value) {
  int seconds = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (code != std::errc() || end != value.data() + value.size() || seconds < 0) return {};
  return std::chrono::seconds(std::min(seconds, longest_retry_after));
}

}  // namespace dockline::gcp
