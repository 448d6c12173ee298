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

std::optional<version_offer> parse_version_offer(std::string_view words) noexcept {
  constexpr std::string_view newest = " is too new. Maximum supported API version is ";
  constexpr std::string_view oldest = " is too old. Minimum supported API version is ";
  if (!words.starts_with("client version ")) return std::nullopt;
  version_offer offer;
  std::size_t at = words.find(newest);
  offer.is_oldest = at == words.npos;
  if (offer.is_oldest) at = words.find(oldest);
  if (at == words.npos) return std::nullopt;
  // Both texts are equally long.
  static_assert(newest.size() == oldest.size());
  std::string_view rest = words.substr(at + newest.size());
  rest = rest.substr(0, rest.find_first_not_of("0123456789."));
  while (rest.ends_with('.')) rest.remove_suffix(1);
  const auto version = parse_api_version(rest);
  if (!version) return std::nullopt;
  offer.version = *version;
  return offer;
}

std::string to_string(api_version version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

}  // namespace dockline::engine
