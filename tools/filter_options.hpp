#pragma once

#include <dockline/engine/filters.hpp>

#include "console.hpp"

#include <optional>
#include <string>
#include <vector>

namespace dockline::tool {

// NAME=VALUE words of --filter, as the daemon takes them. Empty, after saying why, when one is not of that
// form.
std::optional<engine::filter_map> filters_of(const std::vector<std::string>& words, console& terminal);

}  // namespace dockline::tool
