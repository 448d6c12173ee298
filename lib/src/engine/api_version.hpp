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

}  // namespace dockline::engine
