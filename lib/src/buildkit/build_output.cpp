#include "buildkit/build_output.hpp"

#include "core/json.hpp"

namespace dockline::buildkit {
namespace {

using kind = build_output::kind;

// What moby calls it.
std::string_view exporter_of(kind type) noexcept {
  switch (type) {
    case kind::image: return "moby";
    case kind::local: return "local";
    case kind::tar: return "tar";
    case kind::oci: return "oci";
    case kind::docker: return "docker";
    case kind::none: return "cacheonly";
  }
  return "";
}

}  // namespace

bool comes_here(const build_output& output) noexcept {
  return output.type != kind::image && output.type != kind::none;
}

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
    why.set_client_message("the output " + std::string(exporter_of(output.type)) + " needs a destination");
    return make_error_code(errc::invalid_argument);
  }
  return {};
}

}  // namespace dockline::buildkit
