#include "dockline/containerize/config.hpp"
#include "dockline/core/diagnostics.hpp"

#include "core/json.hpp"

#include <array>
#include <set>
#include <string>

namespace dockline::containerize {
namespace {

struct text_field {
  std::string_view key;
  std::string& (*place)(containerize_options&);
};

struct flag_field {
  std::string_view key;
  bool containerize_options::*place;
  bool inverted;
};

constexpr std::array<text_field, 10> text_fields = {{
    {"entry_point", [](containerize_options& o) -> std::string& { return o.entry_point; }},
    {"requirements", [](containerize_options& o) -> std::string& { return o.requirements; }},
    {"destination_dir", [](containerize_options& o) -> std::string& { return o.destination_dir; }},
    {"image", [](containerize_options& o) -> std::string& { return o.docker.image; }},
    {"parent_image", [](containerize_options& o) -> std::string& { return o.docker.parent_image; }},
    {"cache_from", [](containerize_options& o) -> std::string& { return o.docker.cache_from; }},
    {"image_build_bucket",
     [](containerize_options& o) -> std::string& { return o.docker.image_build_bucket; }},
    {"project", [](containerize_options& o) -> std::string& { return o.project; }},
    {"region", [](containerize_options& o) -> std::string& { return o.region; }},
    {"registry", [](containerize_options& o) -> std::string& { return o.registry; }},
}};

constexpr std::array<flag_field, 3> flag_fields = {{
    {"tpu", &containerize_options::tpu, false},
    {"from_notebook", &containerize_options::from_notebook, false},
    {"no_push", &containerize_options::push, true},
}};

// What is wrong with a member; empty when it was taken.
std::string_view take(const json::member& given, containerize_options& options) {
  for (const text_field& field : text_fields) {
    if (field.key != given.name) continue;
    const auto text = given.value.as_string();
    if (!text) return "a string is expected";
    field.place(options) = *text;
    return {};
  }
  for (const flag_field& field : flag_fields) {
    if (field.key != given.name) continue;
    const auto truth = given.value.as_bool();
    if (!truth) return "true or false is expected";
    options.*field.place = *truth != field.inverted;
    return {};
  }
  if (given.name == "accelerator") {
    const std::string_view kind = given.value.string_or_empty();
    if (kind != "gpu" && kind != "none") return "\"gpu\" or \"none\" is expected";
    options.accelerator = kind == "gpu" ? accelerator::gpu : accelerator::none;
    return {};
  }
  return "there is no such key";
}

bool is_known(std::string_view key) {
  for (const text_field& field : text_fields) {
    if (field.key == key) return true;
  }
  for (const flag_field& field : flag_fields) {
    if (field.key == key) return true;
  }
  return key == "accelerator";
}

}  // namespace

result<void> read_options(std::string_view json, std::string_view path, containerize_options& options,
                          diagnostics& why) {
  const auto refuse = [&](const std::string& text) {
    why.set_client_message(std::string(path) + ": " + text);
    return errc::bad_configuration;
  };
  json::document parsed;
  if (parsed.parse(json))
    return refuse("is not JSON, from byte " + std::to_string(parsed.failed_at()) + " on");
  if (!parsed.root().is_object()) return refuse("an object is expected: {\"entry_point\": …}");
  containerize_options changed = options;
  std::set<std::string_view> seen;
  for (const json::member given : parsed.root().members()) {
    const std::string key = "\"" + std::string(given.name) + "\": ";
    if (!seen.insert(given.name).second) return refuse(key + "is there twice");
    if (given.value.is_null() && is_known(given.name)) continue;
    if (const std::string_view fault = take(given, changed); !fault.empty())
      return refuse(key + std::string(fault));
  }
  options = std::move(changed);
  return result<void>();
}

}  // namespace dockline::containerize
