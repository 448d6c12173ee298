#include "buildkit/first_field.hpp"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

namespace dockline::buildkit {

std::optional<std::string> first_field(std::string_view message) {
  try {
    std::string bytes;
    protozero::pbf_reader fields(message.data(), message.size());
    while (fields.next()) {
      if (fields.tag() == 1 && fields.wire_type() == protozero::pbf_wire_type::length_delimited) {
        bytes = fields.get_string();
      } else {
        fields.skip();
      }
    }
    return bytes;
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
}

}  // namespace dockline::buildkit
