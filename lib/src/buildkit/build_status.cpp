#include "buildkit/build_status.hpp"

#include <protozero/pbf_reader.hpp>

#include <algorithm>

namespace dockline::buildkit {
namespace {

using protozero::pbf_reader;
using protozero::tag_and_type;

constexpr auto bytes = protozero::pbf_wire_type::length_delimited;
constexpr auto number = protozero::pbf_wire_type::varint;

std::string_view text_of(pbf_reader& field) {
  const protozero::data_view view = field.get_view();
  return {view.data(), view.size()};
}

// Not by protozero's get_bool(), which reads a byte beyond a message that ends with the field's tag.
bool flag_of(pbf_reader& field) { return field.get_uint64() != 0; }

// google.protobuf.Timestamp. A time that no clock tells is none.
std::optional<moment> read_time(pbf_reader fields) {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, number): seconds = fields.get_int64(); break;
      case tag_and_type(2, number): nanoseconds = fields.get_int32(); break;
      default: fields.skip();
    }
  }
  constexpr std::int64_t latest = 9'000'000'000;  // the year 2255, as far as nanoseconds reach
  if (seconds <= 0 || seconds > latest || nanoseconds < 0 || nanoseconds >= 1'000'000'000)
    return std::nullopt;
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds);
}

void read_group(pbf_reader fields, vertex& read) {
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, bytes): read.group = text_of(fields); break;
      case tag_and_type(2, bytes): read.group_name = text_of(fields); break;
      case tag_and_type(3, number): read.group_weak = flag_of(fields); break;
      default: fields.skip();
    }
  }
}

vertex read_vertex(pbf_reader fields) {
  vertex read;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, bytes): read.digest = text_of(fields); break;
      case tag_and_type(3, bytes): read.name = text_of(fields); break;
      case tag_and_type(4, number): read.cached = flag_of(fields); break;
      case tag_and_type(5, bytes): read.started = read_time(fields.get_message()); break;
      case tag_and_type(6, bytes): read.completed = read_time(fields.get_message()); break;
      case tag_and_type(7, bytes): read.error = text_of(fields); break;
      case tag_and_type(8, bytes): read_group(fields.get_message(), read); break;
      default: fields.skip();
    }
  }
  return read;
}

vertex_status read_status(pbf_reader fields) {
  vertex_status read;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, bytes): read.id = text_of(fields); break;
      case tag_and_type(2, bytes): read.vertex = text_of(fields); break;
      case tag_and_type(4, number): read.current = fields.get_int64(); break;
      case tag_and_type(5, number): read.total = fields.get_int64(); break;
      case tag_and_type(6, bytes): read.timestamp = read_time(fields.get_message()); break;
      case tag_and_type(7, bytes): read.started = read_time(fields.get_message()); break;
      case tag_and_type(8, bytes): read.completed = read_time(fields.get_message()); break;
      default: fields.skip();
    }
  }
  return read;
}

vertex_log read_log(pbf_reader fields) {
  vertex_log read;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, bytes): read.vertex = text_of(fields); break;
      case tag_and_type(2, bytes): read.timestamp = read_time(fields.get_message()); break;
      case tag_and_type(3, number): read.stream = fields.get_int64(); break;
      case tag_and_type(4, bytes): read.bytes = text_of(fields); break;
      default: fields.skip();
    }
  }
  return read;
}

std::int32_t read_line(pbf_reader fields) {
  std::int32_t line = 0;
  while (fields.next()) {
    if (fields.tag_and_type() == tag_and_type(1, number))
      line = fields.get_int32();
    else
      fields.skip();
  }
  return std::max(line, 0);
}

// Several ranges are told as the one that spans them.
void read_range(pbf_reader fields, vertex_warning& read) {
  std::int32_t first = 0;
  std::int32_t last = 0;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, bytes): first = read_line(fields.get_message()); break;
      case tag_and_type(2, bytes): last = read_line(fields.get_message()); break;
      default: fields.skip();
    }
  }
  if (first == 0) return;
  read.first_line = read.first_line == 0 ? first : std::min(read.first_line, first);
  read.last_line = std::max({read.last_line, first, last});
}

std::string_view read_file_name(pbf_reader fields) {
  std::string_view name;
  while (fields.next()) {
    if (fields.tag_and_type() == tag_and_type(1, bytes))
      name = text_of(fields);
    else
      fields.skip();
  }
  return name;
}

vertex_warning read_warning(pbf_reader fields) {
  vertex_warning read;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, bytes): read.vertex = text_of(fields); break;
      case tag_and_type(3, bytes): read.text = text_of(fields); break;
      case tag_and_type(4, bytes): read.details.push_back(text_of(fields)); break;
      case tag_and_type(5, bytes): read.url = text_of(fields); break;
      case tag_and_type(6, bytes): read.file = read_file_name(fields.get_message()); break;
      case tag_and_type(7, bytes): read_range(fields.get_message(), read); break;
      default: fields.skip();
    }
  }
  return read;
}

}  // namespace

bool read_build_status(std::string_view message, build_status& read) {
  read.vertices.clear();
  read.statuses.clear();
  read.logs.clear();
  read.warnings.clear();
  try {
    pbf_reader fields(message.data(), message.size());
    while (fields.next()) {
      switch (fields.tag_and_type()) {
        case tag_and_type(1, bytes): read.vertices.push_back(read_vertex(fields.get_message())); break;
        case tag_and_type(2, bytes): read.statuses.push_back(read_status(fields.get_message())); break;
        case tag_and_type(3, bytes): read.logs.push_back(read_log(fields.get_message())); break;
        case tag_and_type(4, bytes): read.warnings.push_back(read_warning(fields.get_message())); break;
        default: fields.skip();
      }
    }
  } catch (const protozero::exception&) {
    return false;
  }
  return true;
}

}  // namespace dockline::buildkit
