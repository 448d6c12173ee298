#include "engine/settings_file.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/small_file.hpp"

#include <algorithm>

namespace dockline::engine {
namespace {

constexpr std::size_t longest_file = 16 * mebibyte;
constexpr std::size_t deepest_value = 32;

}  // namespace

result<std::optional<std::string>> read_settings_file(const std::string& path, diagnostics& why) {
  return read_small_file(path, why, longest_file);
}

result<json::document> parse_settings(std::string_view text, std::string_view path, diagnostics& why) {
  json::document parsed;
  json::limits bounds;
  bounds.bytes = longest_file;
  bounds.depth = deepest_value;
  const error_code failure = parsed.parse(text, bounds);
  if (!failure && parsed.root().is_object()) return parsed;
  std::string words(path);
  if (failure) {
    const std::string_view good = text.substr(0, std::min(parsed.failed_at(), text.size()));
    const auto line = 1 + std::ranges::count(good, '\n');
    const std::size_t column = good.size() - (good.rfind('\n') + 1) + 1;  // npos + 1 is 0
    words += ":" + std::to_string(line) + ":" + std::to_string(column) + ": not JSON from here on";
  } else {
    words += ": not a JSON object";
  }
  why.set_client_message(std::move(words));
  return errc::bad_configuration;
}

}  // namespace dockline::engine
