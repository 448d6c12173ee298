#include "moment_option.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <string>

namespace dockline::tool {
namespace {

using std::chrono::system_clock;
using time_point = system_clock::time_point;

// Whole digits, exactly `count` of them where that is not 0.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int number = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + count, number);
  if (bad != std::errc() || end != text.data() + count || number < 0) return std::nullopt;
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char letter) {
  if (!text.starts_with(letter)) return false;
  text.remove_prefix(1);
  return true;
}

// "1h30m", as Go writes durations.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  struct unit {
    std::string_view name;
    double nanoseconds;
  };
  static constexpr std::array<unit, 6> units = {
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const char first = text.front();
    if ((first < '0' || first > '9') && first != '.') return std::nullopt;
    double number = 0;
    const auto [end, bad] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (bad != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const unit* found = nullptr;
    for (const auto& one : units) {
      if (one.name == text.substr(0, letters)) found = &one;
    }
    if (found == nullptr) return std::nullopt;
    total += number * found->nanoseconds;
    text.remove_prefix(letters);
  }
  if (total > 9e18) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

// "1700000000" or "1700000000.25".
std::optional<time_point> parse_unix(std::string_view text) {
  std::int64_t seconds = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (bad != std::errc() || seconds > 9'000'000'000) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  std::chrono::nanoseconds rest(0);
  if (take(text, '.')) {
    if (text.empty() || text.size() > 9) return std::nullopt;
    std::string digits(text);
    digits.resize(9, '0');
    std::string_view nine = digits;
    const auto fraction = take_digits(nine, 9);
    if (!fraction) return std::nullopt;
    rest = std::chrono::nanoseconds(*fraction);
  } else if (!text.empty()) {
    return std::nullopt;
  }
  return time_point(std::chrono::duration_cast<system_clock::duration>(std::chrono::seconds(seconds) + rest));
}

// The end of a date: nothing, "Z", "+01:00".
std::optional<std::optional<std::chrono::minutes>> parse_zone(std::string_view text) {
  using zone = std::optional<std::chrono::minutes>;
  if (text.empty()) return zone();
  if (text == "Z" || text == "z") return zone(std::chrono::minutes(0));
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  const bool colon = take(text, ':');
  const auto minutes = take_digits(text, 2);
  if (!hours || !colon || !minutes || !text.empty()) return std::nullopt;
  const std::chrono::minutes ahead(*hours * 60 + *minutes);
  return zone(west ? -ahead : ahead);
}

std::optional<time_point> parse_date(std::string_view text) {
  const auto year = take_digits(text, 4);
  const bool first = take(text, '-');
  const auto month = take_digits(text, 2);
  const bool second = take(text, '-');
  const auto day = take_digits(text, 2);
  if (!year || !first || !month || !second || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31)
    return std::nullopt;
  std::tm fields{};
  std::chrono::nanoseconds fraction(0);
  if (take(text, 'T')) {
    const auto hour = take_digits(text, 2);
    const bool colon = take(text, ':');
    const auto minute = take_digits(text, 2);
    if (!hour || !colon || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    fields.tm_hour = *hour;
    fields.tm_min = *minute;
    if (take(text, ':')) {
      const auto second_of_minute = take_digits(text, 2);
      if (!second_of_minute || *second_of_minute > 60) return std::nullopt;
      fields.tm_sec = *second_of_minute;
      if (take(text, '.')) {
        const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
        std::string digits(text.substr(0, length));
        if (digits.empty()) return std::nullopt;
        digits.resize(9, '0');
        std::string_view nine = digits;
        fraction = std::chrono::nanoseconds(take_digits(nine, 9).value_or(0));
        text.remove_prefix(length);
      }
    }
  }
  const auto zone = parse_zone(text);
  if (!zone) return std::nullopt;
  fields.tm_year = *year - 1900;
  fields.tm_mon = *month - 1;
  fields.tm_mday = *day;
  fields.tm_isdst = -1;
  const std::time_t seconds =
      *zone ? ::timegm(&fields) - std::chrono::seconds(**zone).count() : std::mktime(&fields);
  return system_clock::from_time_t(seconds) + std::chrono::duration_cast<system_clock::duration>(fraction);
}

}  // namespace

std::optional<time_point> parse_moment(std::string_view text, time_point now) {
  if (const auto ago = parse_go_duration(text))
    return now - std::chrono::duration_cast<system_clock::duration>(*ago);
  if (const auto seconds = parse_unix(text)) return seconds;
  return parse_date(text);
}

bool read_moment(std::string_view option, const std::string& text, std::optional<time_point>& moment,
                 console& terminal) {
  if (text.empty()) return true;
  moment = parse_moment(text, system_clock::now());
  if (moment) return true;
  terminal.error(std::string(option) + " \"" + text +
                 "\": written 10m, 2026-11-23T14:00:00Z or seconds since 1970");
  return false;
}

}  // namespace dockline::tool
