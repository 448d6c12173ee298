#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace dockline::engine {

// A version of the Engine API: "1.41".
struct api_version {
  int major = 0;
  int minor = 0;

  auto operator<=>(const api_version&) const = default;
};

// The versions that this library was written against.
inline constexpr api_version oldest_api{1, 24};
inline constexpr api_version newest_api{1, 51};

std::optional<api_version> parse_api_version(std::string_view text) noexcept;
std::string to_string(api_version version);

// What a daemon that refuses the version of a request offers instead: the newest or the oldest that it
// speaks.
struct version_offer {
  api_version version;
  bool is_oldest = false;
};

// Reads it from the daemon's words, the only place where it says so: "client version 1.99 is too new. Maximum
// supported API version is 1.51", "client version 1.20 is too old. Minimum supported API version is 1.24, …".
std::optional<version_offer> parse_version_offer(std::string_view words) noexcept;

}  // namespace dockline::engine
