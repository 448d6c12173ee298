// What people write for a build (outputs, secrets, ssh agents, names, paths, versions), and the place in a
// Dockerfile that a daemon's words name. It is read or refused with words; printed, it reads as the same;
// what is made of it has no instruction of its own. The first byte says what it is.

#include "dockline/buildkit/build.hpp"
#include "dockline/buildkit/secret.hpp"
#include "dockline/buildkit/ssh.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include "archive/clean_path.hpp"
#include "buildkit/build_output.hpp"
#include "buildkit/dockerfile_excerpt.hpp"
#include "containerize/dockerfile.hpp"
#include "containerize/google_names.hpp"
#include "containerize/image_uri.hpp"
#include "containerize/parent_image.hpp"
#include "containerize/python_version.hpp"
#include "containerize/tensorflow_installation.hpp"
#include "core/json.hpp"
#include "engine/dockerfile_lines.hpp"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dockline;

void require(bool truth) {
  if (!truth) std::abort();
}

// As many parts as are asked for, at NULs; what is missing is empty.
std::vector<std::string> parts_of(std::string_view text, std::size_t count) {
  std::vector<std::string> parts;
  while (parts.size() < count) {
    const std::string_view part = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    parts.emplace_back(part);
  }
  return parts;
}

void add_field(std::string& line, std::string_view name, std::string_view value) {
  if (!line.empty()) line += ',';
  line += '"';
  for (const char c : std::string(name) + "=" + std::string(value))
    line += c == '"' ? "\"\"" : std::string(1, c);
  line += '"';
}

void check_output(std::string_view text) {
  diagnostics why;
  const auto output = buildkit::parse_output(text, why);
  require(output.has_value() == why.empty());
  if (!output) {
    require(output.error() == errc::invalid_argument && why.client_message().starts_with("output \""));
    return;
  }
  require(buildkit::check(*output, why).has_value());
  const std::string parameter = buildkit::outputs_parameter(*output);
  if (!parameter.empty()) {
    const auto told = json::parse(parameter);
    require(told && told->root().elements().size() == 1);
    require((*told->root().elements().begin()).find("Attrs").members().size() == output->attributes.size());
  }
  std::string printed;
  add_field(printed, "type", buildkit::output_type_name(output->type));
  if (!output->destination.empty()) add_field(printed, "dest", output->destination);
  if (output->push) add_field(printed, "push", "true");
  std::string names;
  for (const auto& name : output->names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) add_field(printed, "name", names);
  for (const auto& [name, value] : output->attributes) add_field(printed, name, value);
  const auto again = buildkit::parse_output(printed, why);
  require(again && again->type == output->type && again->destination == output->destination);
  require(again->names == output->names && again->push == output->push &&
          again->attributes == output->attributes);
}

void check_secret(std::string_view text) {
  diagnostics why;
  const auto secret = buildkit::parse_secret(text, why);
  require(secret.has_value() == why.empty());
  if (!secret) {
    require(secret.error() == errc::invalid_argument && why.client_message().starts_with("secret \""));
    return;
  }
  require(!secret->id().empty() && secret->path().empty() == (secret->value() != nullptr));
  if (secret->value() != nullptr) return;
  const auto again = buildkit::parse_secret("id=" + secret->id() + ",type=file,src=" + secret->path(), why);
  require(again && again->id() == secret->id() && again->path() == secret->path());
}

void check_agent(std::string_view text) {
  diagnostics why;
  const auto agent = buildkit::parse_ssh_agent(text, why);
  require(agent.has_value() == why.empty());
  if (!agent) {
    require(agent.error() == errc::invalid_argument && why.client_message().starts_with("ssh agent \""));
    return;
  }
  require(!agent->id.empty() && !agent->socket.empty());
  const auto again = buildkit::parse_ssh_agent(agent->id + "=" + agent->socket, why);
  require(again && again->id == agent->id && again->socket == agent->socket);
}

// Three versions are in an order.
void check_versions(std::string_view text) {
  const auto parts = parts_of(text, 3);
  const auto compare = [&](std::size_t one, std::size_t other) {
    return containerize::compare_python_versions(parts[one], parts[other]);
  };
  for (std::size_t i = 0; i < 3; ++i) {
    require(std::is_eq(compare(i, i)));
    const std::size_t next = (i + 1) % 3;
    const std::size_t last = (i + 2) % 3;
    const auto forth = compare(i, next);
    const auto back = compare(next, i);
    require(std::is_lt(forth) == std::is_gt(back) && std::is_eq(forth) == std::is_eq(back));
    if (std::is_lteq(forth) && std::is_lteq(compare(next, last))) require(std::is_lteq(compare(i, last)));
  }
  // And what is found on the disk names an image, or none.
  const auto found = containerize::read_distribution_name(parts[0]);
  if (!found) return;
  const std::string image = containerize::tensorflow_image(*found, containerize::accelerator::gpu);
  diagnostics why;
  require(image.empty() || engine::parse_image_ref(image, why));
}

// The values are an image, a directory, requirements and a program: whatever they are, the instructions are
// ours.
void check_dockerfile(std::string_view text) {
  const auto values = parts_of(text, 4);
  diagnostics why;
  if (!engine::parse_image_ref(values[0], why)) return;
  why.clear();
  containerize::dockerfile_parts parts;
  parts.parent_image = values[0];
  parts.destination_dir = "/" + values[1];
  parts.requirements = values[2];
  parts.tpu_client = text.size() % 2 == 0;
  parts.entry_point = values[3];
  const auto made = containerize::make_dockerfile(parts, why);
  require(made.has_value() == why.empty());
  if (!made) return;
  std::vector<std::string> wanted{"FROM", "WORKDIR"};
  if (!parts.requirements.empty()) wanted.insert(wanted.end(), {"COPY", "RUN"});
  if (parts.tpu_client) wanted.emplace_back("RUN");
  wanted.insert(wanted.end(), {"COPY", "ENTRYPOINT"});
  std::vector<std::string> names;
  const auto read = engine::read_dockerfile(*made);
  names.reserve(read.instructions.size());
  for (const auto& one : read.instructions) names.push_back(one.name);
  require(names == wanted && read.escape == '\\' && read.instructions[0].rest == parts.parent_image);
}

void check_names(std::string_view text) {
  const std::string clean = archive::clean_path(text);
  require(!clean.empty() && archive::clean_path(clean) == clean && clean.size() <= text.size() + 1);
  require(clean.starts_with('/') == text.starts_with('/'));
  if (containerize::bucket_name_fault(text).empty()) require(text.size() >= 3 && text.size() <= 222);
  if (containerize::region_fault(text).empty()) require(text.size() <= 63);
  // A project of a domain may have a name that leaves no room for the image's own: that is refused as every image is.
  if (text.size() <= 200 && containerize::project_id_fault(text).empty()) {
    diagnostics why;
    const std::string image = containerize::derived_image_uri(containerize::registry_of_project(text),
                                                              "123e4567-e89b-42d3-a456-426614174000");
    require(engine::parse_image_ref(image, why).has_value());
  }
}

// A Dockerfile, and what a daemon says of a step in it, or of its parser.
void check_excerpt(std::string_view text) {
  const auto parts = parts_of(text, 2);
  const std::string& file = parts[0];
  const auto lines = static_cast<int>(std::ranges::count(file, '\n')) + 1;
  for (const auto& place :
       {buildkit::lines_of_step(file, parts[1]), buildkit::lines_of_error(file, parts[1])}) {
    if (!place) continue;
    require(place->first >= 1 && place->first <= place->last && place->last <= lines);
    const std::string shown = buildkit::excerpt_of(file, "Dockerfile", *place);
    require(shown.find(" | >>> ") != shown.npos);
    require(std::ranges::count(shown, '\n') <= 3 + 4 + place->last - place->first + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0: check_output(text); break;
    case 1: check_secret(text); break;
    case 2: check_agent(text); break;
    case 3: check_versions(text); break;
    case 4: check_dockerfile(text); break;
    case 5: check_names(text); break;
    default: check_excerpt(text); break;
  }
  return 0;
}
