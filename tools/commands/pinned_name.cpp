#include "commands/pinned_name.hpp"

#include <cstddef>

namespace dockline::tool {

std::string pinned_name(std::string_view name, std::string_view digest) {
  name = name.substr(0, name.find('@'));
  const std::size_t colon = name.rfind(':');
  const std::size_t slash = name.rfind('/');
  // "127.0.0.1:5000/app" has a port, not a tag.
  if (colon != name.npos && (slash == name.npos || colon > slash)) name = name.substr(0, colon);
  return std::string(name) + "@" + std::string(digest);
}

}  // namespace dockline::tool
