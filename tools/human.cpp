#include "human.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>

namespace dockline::tool {

std::string human_size(std::int64_t bytes) {
  static constexpr std::array<std::string_view, 7> units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 999.9 would be shown as 1e+03.
  while (size >= 999.5 && unit + 1 < units.size()) {
    size /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", size, units[unit]);
}

std::string human_duration(std::int64_t seconds) {
  const std::int64_t minutes = seconds / 60;
  // Rounded to the nearest, as docker does from here on.
  const std::int64_t hours = (seconds + 1800) / 3600;
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return fmt::format("{} minutes", minutes);
  if (hours == 1) return "About an hour";
  if (hours < 48) return fmt::format("{} hours", hours);
  if (hours < 24 * 7 * 2) return fmt::format("{} days", hours / 24);
  if (hours < 24 * 30 * 2) return fmt::format("{} weeks", hours / 24 / 7);
  if (hours < 24 * 365 * 2) return fmt::format("{} months", hours / 24 / 30);
  return fmt::format("{} years", hours / 24 / 365);
}

std::string human_age(std::int64_t created, std::int64_t now) {
  return created > 0 ? human_duration(now - created) + " ago" : "N/A";
}

std::string short_id(std::string_view id) {
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  return std::string(id.substr(0, 12));
}

}  // namespace dockline::tool
