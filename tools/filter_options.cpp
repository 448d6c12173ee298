#include "filter_options.hpp"

namespace dockline::tool {

std::optional<engine::filter_map> filters_of(const std::vector<std::string>& words, console& terminal) {
  engine::filter_map filters;
  for (const auto& word : words) {
    const std::size_t sign = word.find('=');
    if (sign == 0 || sign == word.npos) {
      terminal.error("--filter \"" + word + "\": written NAME=VALUE");
      return std::nullopt;
    }
    // "label!=x" has its exclamation mark in the name, as the daemon knows it.
    filters[word.substr(0, sign)].push_back(word.substr(sign + 1));
  }
  return filters;
}

}  // namespace dockline::tool
