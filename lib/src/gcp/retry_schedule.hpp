#pragma once

// When what failed for a moment is tried again, without a clock.

#include "dockline/gcp/client.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace dockline::gcp {

class retry_schedule {
 public:
  using milliseconds = std::chrono::milliseconds;
  using time = std::chrono::steady_clock::time_point;

  // `random` gives numbers from 0 to below 1. `reached`: what is asked has answered before.
  retry_schedule(const retry_options& options, std::function<double()> random, bool reached = false)
      : options_(options), random_(std::move(random)), reached_(reached) {}

  // No more than `count` attempts in all; 0: as many as the budget holds.
  void limit_attempts(int count) { most_attempts_ = count; }

  // After an attempt that failed at `now`: how long to wait before the next one, at least as long as the
  // other side asked for; nothing when the budget does not hold it. `reached`: something was there to be
  // asked. Where nothing ever was, waiting for minutes helps nobody.
  std::optional<milliseconds> failed(time now, bool reached = true, milliseconds asked_for = {});

  // What was wanted came a step nearer: a failure after this is the first one again.
  void progressed() noexcept {
    failures_ = 0;
    first_failure_.reset();
    reached_ = true;
  }

  // There was an answer.
  void answered() noexcept { reached_ = true; }

  int failures() const noexcept { return failures_; }

 private:
  retry_options options_;
  std::function<double()> random_;
  bool reached_;
  int most_attempts_ = 0;
  int failures_ = 0;
  std::optional<time> first_failure_;
};

// The seconds of a Retry-After field; zero where it has none (a date, or nothing).
std::chrono::milliseconds read_retry_after(std::string_view value);

}  // namespace dockline::gcp
