// However a stream is cut, it gives the same values and the same error, and no value is above the limit.

#include "http/json_lines.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dockline;

struct outcome {
  std::vector<std::string> values;
  error_code failure;

  bool operator==(const outcome&) const = default;
};

constexpr std::size_t limit = 64;

// Chunks of 1 to 8 bytes, as `seed` says; 0: one chunk.
outcome split(std::string_view text, std::uint32_t seed) {
  outcome seen;
  http::json_lines lines(limit);
  while (!text.empty() && !seen.failure) {
    seed = seed * 1664525 + 1013904223 * (seed != 0);
    const std::string chunk(text.substr(0, seed == 0 ? text.size() : 1 + (seed >> 29)));
    text.remove_prefix(chunk.size());
    lines.feed(chunk);
    for (;;) {
      const auto value = lines.next();
      if (!value) seen.failure = value.error();
      if (!value || !*value) break;
      if ((*value)->empty() || (*value)->size() > limit) std::abort();
      seen.values.emplace_back(**value);
    }
  }
  if (seen.failure) return seen;
  const auto last = lines.finish();
  if (!last)
    seen.failure = last.error();
  else if (*last)
    seen.values.emplace_back(**last);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const outcome whole = split(text, 0);
  if (split(text, 1 + static_cast<std::uint32_t>(size)) != whole) std::abort();
  return 0;
}
