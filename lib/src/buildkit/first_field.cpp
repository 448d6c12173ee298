#include "buildkit/first_field.hpp"

#include "buildkit/text_fields.hpp"

#include <utility>

namespace dockline::buildkit {

std::optional<std::string> first_field(std::string_view message) {
  std::string bytes;
  const bool whole = read_text_fields(message, [&](protozero::pbf_tag_type field, std::string text) {
    if (field == 1) bytes = std::move(text);
  });
  if (!whole) return std::nullopt;
  return bytes;
}

}  // namespace dockline::buildkit
