#pragma once

// Quantities as people read them.

#include "dockline/progress/event.hpp"

#include <cstdint>
#include <string>

namespace dockline::progress {

// "1.2" for 1.234 s and one digit; what is negative is 0.
std::string seconds(event_time::duration time, int digits);

// "12.3MB": three digits, powers of 1000.
std::string human_size(std::uint64_t bytes);

// "[2/7] RUN make", or what the builder calls the step; printable.
std::string step_title(const step_started& what);

// "1,234 files"
std::string file_count(std::uint64_t count);

// "12.3MB 1,234 files". An archive that is passed on is its bytes alone.
std::string context_size(const context_progress& what);

}  // namespace dockline::progress
