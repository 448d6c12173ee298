#include "progress/quantities.hpp"

#include "dockline/progress/printable.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace dockline::progress {

std::string seconds(event_time::duration time, int digits) {
  std::array<char, 64> text{};
  const double value = std::max(0.0, std::chrono::duration<double>(time).count());
  const int size = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + 'B';
  auto value = static_cast<double>(bytes);
  std::string_view units = "kMGTPE";
  for (value /= 1000; value >= 999.5 && units.size() > 1; value /= 1000) units.remove_prefix(1);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.3g%cB", value, units.front());
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string file_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text + (count == 1 ? " file" : " files");
}

std::string context_size(const context_progress& what) {
  if (what.entries == 0) return human_size(what.bytes_sent);
  return human_size(what.bytes) + ' ' + file_count(what.entries);
}

std::string step_title(const step_started& what) {
  if (!what.title.empty()) return printable(what.title);
  std::string title = '[' + std::to_string(what.index);
  if (what.total > 0) title += '/' + std::to_string(what.total);
  return title + "] " + printable(what.name);
}

}  // namespace dockline::progress
