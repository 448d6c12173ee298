#pragma once

// Sizes and times as docker shows them to people.

#include <cstdint>
#include <string>
#include <string_view>

namespace dockline::tool {

// "1.99MB": three digits that count, powers of 1000, as in `docker images`.
std::string human_size(std::int64_t bytes);

// "2 hours", "About a minute": how long `seconds` are.
std::string human_duration(std::int64_t seconds);

// "2 hours ago" of seconds since 1970; "N/A" of a time that is none.
std::string human_age(std::int64_t created, std::int64_t now);

// The first twelve digits of an id, without its "sha256:".
std::string short_id(std::string_view id);

}  // namespace dockline::tool
