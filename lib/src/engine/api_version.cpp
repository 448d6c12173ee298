#include "engine/api_version.hpp"

#include <charconv>

namespace dockline::engine {

std::optional<api_version> parse_api_version(std::string_view text) noexcept {
  api_version version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc() || minor.ptr != end || version.major < 1 || version.minor < 0)
    return std::nullopt;
  return version;
}

std::string to_string(api_version version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

}  // namespace dockline::engine
