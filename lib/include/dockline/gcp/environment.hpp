#pragma once

#include "dockline/core/export.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace dockline::gcp {

// Variables by their names: those of this process, or of a caller's own making.
using environment = std::map<std::string, std::string, std::less<>>;

// A copy of the variables of this process.
DOCKLINE_API environment environment_of_process();

// The value, or nothing where it is not set.
inline std::string_view value_of(const environment& variables, std::string_view name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace dockline::gcp
