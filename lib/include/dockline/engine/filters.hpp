#pragma once

#include <map>
#include <string>
#include <vector>

namespace dockline::engine {

// What a list, a prune or the events are narrowed to: {"label", {"a=b", "c"}}, {"dangling", {"true"}}. All
// names have to hold; of the values of one name any one, but for labels, which all have to be there. Names
// are the daemon's, which refuses those that it does not know.
using filter_map = std::map<std::string, std::vector<std::string>>;

}  // namespace dockline::engine
