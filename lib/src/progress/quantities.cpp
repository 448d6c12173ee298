#include "progress/quantities.hpp"

#include "dockline/progress/printable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>

namespace dockline::progress {
namespace {

// The host's locale has no say in it, as it has in printf().
std::string number(double value, std::chars_format how, int digits) {
  std::array<char, 64> text{};
  const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(), value, how, digits);
  return failed == std::errc() ? std::string(text.data(), end) : std::string();
}

}  // namespace

std::string seconds(event_time::duration time, int digits) {
  const double value = std::max(0.0, std::chrono::duration<double>(time).count());
  return number(value, std::chars_format::fixed, digits);
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + 'B';
  auto value = static_cast<double>(bytes);
  std::string_view units = "kMGTPE";
  for (value /= 1000; value >= 999.5 && units.size() > 1; value /= 1000) units.remove_prefix(1);
  return number(value, std::chars_format::general, 3) + units.front() + 'B';
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
