#pragma once

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include <string_view>

namespace dockline::buildkit {

// Calls `take` with the number and the std::string of each field of a message that is a text or bytes. False where the
// bytes are no message.
template <class Take>
bool read_text_fields(std::string_view message, Take take) {
  try {
    protozero::pbf_reader fields(message.data(), message.size());
    while (fields.next()) {
      if (fields.wire_type() == protozero::pbf_wire_type::length_delimited) {
        const protozero::pbf_tag_type field = fields.tag();
        take(field, fields.get_string());
      } else {
        fields.skip();
      }
    }
    return true;
  } catch (const protozero::exception&) {
    return false;
  }
}

}  // namespace dockline::buildkit
