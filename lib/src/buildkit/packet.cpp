#include "buildkit/packet.hpp"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include <cstddef>

namespace dockline::buildkit {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::pbf_writer;
using protozero::tag_and_type;

constexpr std::size_t longest_path = 64 * 1024;
constexpr std::size_t most_attributes = 256;
constexpr std::size_t attribute_bytes = 1 << 20;

std::string_view text_of(const protozero::data_view& view) { return {view.data(), view.size()}; }
protozero::data_view view_of(std::string_view text) { return {text.data(), text.size()}; }

// A field of another type than its number says is passed over, as protobuf has it for what is not known.
bool read_attribute(pbf_reader pair, file_stat& stat, std::size_t& bytes) {
  std::string key;
  std::string value;
  while (pair.next()) {
    switch (pair.tag_and_type()) {
      case tag_and_type(1, pbf_wire_type::length_delimited): key = text_of(pair.get_view()); break;
      case tag_and_type(2, pbf_wire_type::length_delimited): value = text_of(pair.get_view()); break;
      default: pair.skip();
    }
  }
  bytes += key.size() + value.size();
  stat.attributes.emplace_back(std::move(key), std::move(value));
  return stat.attributes.size() <= most_attributes && bytes <= attribute_bytes;
}

bool read_stat(pbf_reader fields, file_stat& stat) {
  std::size_t bytes = 0;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, pbf_wire_type::length_delimited): stat.path = text_of(fields.get_view()); break;
      case tag_and_type(2, pbf_wire_type::varint): stat.mode = fields.get_uint32(); break;
      case tag_and_type(3, pbf_wire_type::varint): stat.uid = fields.get_uint32(); break;
      case tag_and_type(4, pbf_wire_type::varint): stat.gid = fields.get_uint32(); break;
      case tag_and_type(5, pbf_wire_type::varint): stat.size = fields.get_int64(); break;
      case tag_and_type(6, pbf_wire_type::varint): stat.modified = fields.get_int64(); break;
      case tag_and_type(7, pbf_wire_type::length_delimited): stat.link = text_of(fields.get_view()); break;
      case tag_and_type(8, pbf_wire_type::varint): stat.device_major = fields.get_int64(); break;
      case tag_and_type(9, pbf_wire_type::varint): stat.device_minor = fields.get_int64(); break;
      case tag_and_type(10, pbf_wire_type::length_delimited):
        if (!read_attribute(fields.get_message(), stat, bytes)) return false;
        break;
      default: fields.skip();
    }
  }
  return stat.path.size() <= longest_path && stat.link.size() <= longest_path;
}

bool read_fields(pbf_reader fields, packet& read) {
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, pbf_wire_type::varint): {
        const std::int32_t type = fields.get_enum();
        if (type < 0 || type > static_cast<std::int32_t>(packet_type::error)) return false;
        read.type = static_cast<packet_type>(type);
        break;
      }
      case tag_and_type(2, pbf_wire_type::length_delimited):
        read.has_stat = true;
        if (!read_stat(fields.get_message(), read.stat)) return false;
        break;
      case tag_and_type(3, pbf_wire_type::varint): read.id = fields.get_uint32(); break;
      case tag_and_type(4, pbf_wire_type::length_delimited): read.data = text_of(fields.get_view()); break;
      default: fields.skip();
    }
  }
  return true;
}

void append_type(pbf_writer& fields, packet_type type) {
  if (type != packet_type::stat) fields.add_enum(1, static_cast<std::int32_t>(type));
}

// What is zero or empty is left out, as proto3 has it.
void write_stat(pbf_writer fields, const file_stat& stat) {
  if (!stat.path.empty()) fields.add_bytes(1, view_of(stat.path));
  if (stat.mode != 0) fields.add_uint32(2, stat.mode);
  if (stat.uid != 0) fields.add_uint32(3, stat.uid);
  if (stat.gid != 0) fields.add_uint32(4, stat.gid);
  if (stat.size != 0) fields.add_int64(5, stat.size);
  if (stat.modified != 0) fields.add_int64(6, stat.modified);
  if (!stat.link.empty()) fields.add_bytes(7, view_of(stat.link));
  if (stat.device_major != 0) fields.add_int64(8, stat.device_major);
  if (stat.device_minor != 0) fields.add_int64(9, stat.device_minor);
  for (const auto& [key, value] : stat.attributes) {
    pbf_writer pair(fields, 10);
    pair.add_bytes(1, view_of(key));
    pair.add_bytes(2, view_of(value));
  }
}

}  // namespace

bool read_packet(std::string_view message, packet& read) {
  read = packet();
  try {
    return read_fields(pbf_reader(view_of(message)), read);
  } catch (const protozero::exception&) {
    return false;
  }
}

void append_stat(std::string& out, const file_stat* stat) {
  pbf_writer fields(out);
  append_type(fields, packet_type::stat);
  if (stat == nullptr) return;
  write_stat(pbf_writer(fields, 2), *stat);
}

void append_request(std::string& out, std::uint32_t id) {
  pbf_writer fields(out);
  append_type(fields, packet_type::request);
  if (id != 0) fields.add_uint32(3, id);
}

void append_fin(std::string& out) {
  pbf_writer fields(out);
  append_type(fields, packet_type::fin);
}

void append_error(std::string& out, std::string_view words) {
  pbf_writer fields(out);
  append_type(fields, packet_type::error);
  fields.add_bytes(4, view_of(words));
}

void append_data_head(std::string& out, std::uint32_t id, std::size_t size) {
  pbf_writer fields(out);
  append_type(fields, packet_type::data);
  if (id != 0) fields.add_uint32(3, id);
  if (size == 0) return;
  protozero::add_varint_to_buffer(&out, (4u << 3) | static_cast<unsigned>(pbf_wire_type::length_delimited));
  protozero::add_varint_to_buffer(&out, size);
}

bool read_bytes_message(std::string_view message, std::string_view& data) {
  data = {};
  try {
    pbf_reader fields(view_of(message));
    while (fields.next()) {
      if (fields.tag_and_type() == tag_and_type(1, pbf_wire_type::length_delimited))
        data = text_of(fields.get_view());
      else
        fields.skip();
    }
  } catch (const protozero::exception&) {
    return false;
  }
  return true;
}

}  // namespace dockline::buildkit
