#include "grpc/metadata.hpp"

#include "core/ascii.hpp"

#include <array>
#include <cstdint>

namespace dockline::grpc {
namespace {

constexpr std::size_t most_digits = 8;

struct unit {
  char letter;
  std::int64_t nanoseconds;
};
constexpr std::array<unit, 6> units = {{{'n', 1},
                                        {'u', 1'000},
                                        {'m', 1'000'000},
                                        {'S', 1'000'000'000},
                                        {'M', 60'000'000'000},
                                        {'H', 3'600'000'000'000}}};

}  // namespace

std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text) noexcept {
  if (text.size() < 2 || text.size() > most_digits + 1) return std::nullopt;
  std::int64_t number = 0;
  for (const char digit : text.substr(0, text.size() - 1)) {
    if (!is_digit(digit)) return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  for (const unit& one : units) {
    if (one.letter != text.back()) continue;
    // 99999999 hours are more nanoseconds than there are numbers for.
    if (number > INT64_MAX / one.nanoseconds) return std::chrono::nanoseconds::max();
    return std::chrono::nanoseconds(number * one.nanoseconds);
  }
  return std::nullopt;
}

std::string encode_timeout(std::chrono::nanoseconds timeout) {
  if (timeout.count() <= 0) return "0n";
  for (const unit& one : units) {
    const std::int64_t whole = timeout.count() / one.nanoseconds;
    const std::int64_t number = timeout.count() % one.nanoseconds == 0 ? whole : whole + 1;
    if (number < 100'000'000) return std::to_string(number) + one.letter;
  }
  return "99999999H";
}

}  // namespace dockline::grpc
