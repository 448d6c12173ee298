#include "buildkit/build_output.hpp"

#include "core/json.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace dockline::buildkit {
namespace {

using kind = build_output::kind;

// What moby calls it. dockerd 20.10 has "cacheonly", 26 and 28 fail on it; a local result of which this side
// takes nothing is the same for all of them.
std::string_view exporter_of(kind type) noexcept {
  switch (type) {
    case kind::image: return "moby";
    case kind::local: return "local";
    case kind::tar: return "tar";
    case kind::oci: return "oci";
    case kind::docker: return "docker";
    case kind::none: return "local";
  }
  return "";
}

std::optional<kind> kind_of(std::string_view name) noexcept {
  if (name == "image" || name == "moby" || name == "registry") return kind::image;
  if (name == "local") return kind::local;
  if (name == "tar") return kind::tar;
  if (name == "oci") return kind::oci;
  if (name == "docker") return kind::docker;
  if (name == "cacheonly") return kind::none;
  return std::nullopt;
}

// As Go reads one; nothing for anything else.
std::optional<bool> read_truth(std::string_view text) noexcept {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return true;
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return false;
  return std::nullopt;
}

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(name.size() + 1, list.size()));
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

error_code refuse_output(std::string_view text, std::string_view words, diagnostics& why) {
  why.set_client_message("output \"" + std::string(text) + "\": " + std::string(words));
  return errc::invalid_argument;
}

// One line of CSV: a field may be quoted as a whole, with its quotes doubled.
std::optional<std::vector<std::string>> fields_of(std::string_view text) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"' && fields.back().empty()) {
      for (++i;; ++i) {
        if (i == text.size()) return std::nullopt;
        if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')) break;
        if (text[i] == '"') ++i;
        fields.back() += text[i];
      }
      if (++i < text.size() && text[i] != ',') return std::nullopt;
    } else if (text[i] == ',') {
      fields.emplace_back();
      ++i;
    } else {
      fields.back() += text[i++];
    }
  }
  return fields;
}

// BuildKit is told none of these: it pushes only where the daemon uses containerd's store, and takes them without a
// word elsewhere.
error_code take_image_fields(build_output& output, bool to_registry, std::string_view text,
                             diagnostics& why) {
  output.push = to_registry;
  for (const char* name : {"push", "push-by-digest"}) {
    const auto found = output.attributes.find(name);
    if (found == output.attributes.end()) continue;
    const auto wanted = read_truth(found->second);
    if (!wanted) return refuse_output(text, std::string(name) + " is true or false", why);
    if (found->first == "push")
      output.push = *wanted;
    else if (*wanted)
      return refuse_output(text, "a daemon pushes by names, not by digest alone", why);
    output.attributes.erase(found);
  }
  if (const auto found = output.attributes.find("name"); found != output.attributes.end()) {
    output.names = names_in(found->second);
    output.attributes.erase(found);
  }
  return {};
}

}  // namespace

std::string_view output_type_name(build_output::kind type) noexcept {
  switch (type) {
    case kind::image: return "image";
    case kind::local: return "local";
    case kind::tar: return "tar";
    case kind::oci: return "oci";
    case kind::docker: return "docker";
    case kind::none: return "cacheonly";
  }
  return "";
}

result<build_output> parse_output(std::string_view text, diagnostics& why) {
  const auto fields = fields_of(text);
  if (!fields) return refuse_output(text, "a quote is missing", why);
  if (fields->size() == 1 && text.find('=') == std::string_view::npos && !fields->front().empty())
    return build_output(fields->front() == "-" ? kind::tar : kind::local, fields->front());
  build_output output;
  bool typed = false;
  bool to_registry = false;
  for (const std::string& field : *fields) {
    const std::size_t sign = field.find('=');
    if (sign == std::string::npos || sign == 0)
      return refuse_output(text, "written NAME=VALUE,NAME=VALUE", why);
    const std::string name = field.substr(0, sign);
    const std::string value = field.substr(sign + 1);
    if (name == "type") {
      const auto type = kind_of(value);
      if (!type)
        return refuse_output(text, "the type is image, registry, local, tar, oci, docker or cacheonly", why);
      output.type = *type;
      to_registry = value == "registry";
      typed = true;
    } else if (name == "dest" || name == "dst" || name == "destination") {
      output.destination = value;
    } else {
      output.attributes.insert_or_assign(name, value);
    }
  }
  if (!typed) return refuse_output(text, "the type is missing", why);
  // An archive that is to be loaded is, for a daemon that builds, an image of its own.
  if (output.type == kind::docker && output.destination.empty()) output.type = kind::image;
  if (output.type == kind::image) {
    if (const error_code code = take_image_fields(output, to_registry, text, why)) return code;
  }
  if (!comes_here(output) && !output.destination.empty())
    return refuse_output(text, "this type has no destination", why);
  if (comes_here(output) && output.destination.empty())
    return refuse_output(text, "a destination is missing", why);
  if (output.type == kind::local && output.destination == "-")
    return refuse_output(text, "a directory cannot be written to standard output", why);
  return output;
}

bool comes_here(const build_output& output) noexcept {
  return output.type != kind::image && output.type != kind::none;
}

bool needs_receiver(const build_output& output) noexcept { return output.type != kind::image; }

std::string outputs_parameter(const build_output& output) {
  if (output.type == kind::image && output.attributes.empty()) return {};
  json::writer out;
  out.begin_array().begin_object();
  out.key("Type").string(exporter_of(output.type));
  out.key("Attrs").begin_object();
  for (const auto& [name, value] : output.attributes) out.key(name).string(value);
  out.end_object().end_object().end_array();
  return out.take();
}

result<void> check(const build_output& output, diagnostics& why) {
  if (comes_here(output) && output.destination.empty() && !(output.write && output.type != kind::local)) {
    why.set_client_message("the output " + std::string(output_type_name(output.type)) +
                           " needs a destination");
    return make_error_code(errc::invalid_argument);
  }
  if (output.type != kind::image && (output.push || !output.names.empty())) {
    why.set_client_message("the output " + std::string(output_type_name(output.type)) +
                           " is no image of the daemon's, to be named or pushed");
    return make_error_code(errc::invalid_argument);
  }
  return {};
}

}  // namespace dockline::buildkit
