#pragma once

#include "console.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dockline::tool {

// A point in time as docker's --since and --until take it: how long ago ("10m", "1h30m"), seconds since 1970
// ("1700000000.5"), or a date, with or without a time and a zone ("2026-11-23T14:36:35Z", "2026-11-23";
// without a zone: the local one). Empty for anything else.
std::optional<std::chrono::system_clock::time_point> parse_moment(std::string_view text,
                                                                  std::chrono::system_clock::time_point now);

// The value of such an option, when it was given. False, after saying why, when it is no time.
bool read_moment(std::string_view option, const std::string& text,
                 std::optional<std::chrono::system_clock::time_point>& moment, console& terminal);

}  // namespace dockline::tool
