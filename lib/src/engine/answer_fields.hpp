#pragma once

// Fields as the engines' answers have them: what is missing, null or of another type is empty, since engines
// and versions differ in what they leave out.

#include "core/json.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {

inline std::string text_of(json::value object, std::string_view key) {
  return std::string(object.find(key).string_or_empty());
}

inline std::int64_t number_of(json::value object, std::string_view key, std::int64_t otherwise = 0) {
  return object.find(key).as_int().value_or(otherwise);
}

// Counters of the kernel may be above what a signed number holds, and come as doubles then.
inline std::uint64_t counter_of(json::value object, std::string_view key) {
  const json::value field = object.find(key);
  if (const auto number = field.as_int()) return *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
  const double number = field.as_double().value_or(0);
  if (!(number > 0)) return 0;
  // "No limit" is the largest number there is.
  return number < 18446744073709549568.0 ? static_cast<std::uint64_t>(number)
                                         : std::numeric_limits<std::uint64_t>::max();
}

inline bool truth_of(json::value object, std::string_view key) {
  return object.find(key).as_bool().value_or(false);
}

inline std::vector<std::string> texts_of(json::value array) {
  std::vector<std::string> texts;
  for (const json::value element : array.elements()) texts.emplace_back(element.string_or_empty());
  return texts;
}

inline std::vector<std::string> keys_of(json::value object) {
  std::vector<std::string> keys;
  for (const json::member one : object.members()) keys.emplace_back(one.name);
  return keys;
}

inline std::map<std::string, std::string> pairs_of(json::value object) {
  std::map<std::string, std::string> pairs;
  for (const json::member one : object.members()) pairs.emplace(one.name, one.value.string_or_empty());
  return pairs;
}

}  // namespace dockline::engine
