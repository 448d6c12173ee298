#include "engine/image_requests.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include "core/json.hpp"

#include <algorithm>

namespace dockline::engine::requests {
namespace {

// A name that an image may be given: no digest.
result<void> check_given(std::string_view reference, diagnostics& why) {
  auto parsed = parse_image_ref(reference, why);
  if (!parsed) return parsed.error();
  if (parsed->digest.empty()) return {};
  why.set_client_message("name \"" + std::string(reference) + "\": a digest cannot be given to an image");
  return errc::invalid_argument;
}

}  // namespace

name_and_tag split_reference(std::string_view reference) {
  if (const std::size_t at = reference.rfind('@'); at != reference.npos)
    return {reference.substr(0, at), reference.substr(at + 1)};
  const std::size_t colon = reference.rfind(':');
  const std::size_t slash = reference.rfind('/');
  // "127.0.0.1:5000/app" has a port, not a tag.
  const bool tagged = colon != reference.npos && (slash == reference.npos || colon > slash);
  if (!tagged) return {reference, {}};
  return {reference.substr(0, colon), reference.substr(colon + 1)};
}

result<std::string> platform_object(std::string_view platform, diagnostics& why) {
  const std::size_t parts = static_cast<std::size_t>(std::ranges::count(platform, '/')) + 1;
  std::string_view fields[3];
  std::string_view rest = platform;
  for (std::size_t i = 0; i < std::min<std::size_t>(parts, 3); ++i) {
    fields[i] = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), fields[i].size() + 1));
  }
  if (parts < 2 || parts > 3 || fields[0].empty() || fields[1].empty()) {
    why.set_client_message("platform \"" + std::string(platform) + "\": written OS/ARCH or OS/ARCH/VARIANT");
    return errc::invalid_argument;
  }
  json::writer out;
  out.begin_object();
  out.key("architecture").string(fields[1]).key("os").string(fields[0]);
  if (!fields[2].empty()) out.key("variant").string(fields[2]);
  out.end_object();
  return out.take();
}

endpoint image_inspect(std::string_view name) {
  return endpoint("GET", "/images/" + escape_name(name) + "/json");
}

endpoint image_history(std::string_view name) {
  return endpoint("GET", "/images/" + escape_name(name) + "/history");
}

result<endpoint> image_tag(std::string_view name, std::string_view reference, diagnostics& why) {
  if (auto checked = check_given(reference, why); !checked) return checked.error();
  endpoint what("POST", "/images/" + escape_name(name) + "/tag");
  const name_and_tag given = split_reference(reference);
  what.parameters.add("repo", given.name).add_text("tag", given.tag);
  return what;
}

endpoint image_remove(std::string_view name, const image_remove_options& options) {
  endpoint what("DELETE", "/images/" + escape_name(name));
  what.parameters.add_flag("force", options.force).add_flag("noprune", options.keep_parents);
  return what;
}

result<endpoint> image_list(const image_list_options& options, api_version version, diagnostics& why) {
  endpoint what("GET", "/images/json");
  if (options.shared_size) {
    if (auto has = what.require(version, {1, 42}, "the shared size of images", why); !has) return has.error();
  }
  what.parameters.add_flag("all", options.all);
  what.parameters.add_flag("shared-size", options.shared_size).add_filters(options.filters);
  return what;
}

endpoint image_prune(const image_prune_options& options) {
  filter_map filters = options.filters;
  // The daemon's own default: images without a name only.
  filters["dangling"] = {options.all ? "false" : "true"};
  endpoint what("POST", "/images/prune");
  what.parameters.add_filters(filters);
  what.silent = true;
  return what;
}

endpoint image_search(std::string_view term, const image_search_options& options) {
  endpoint what("GET", "/images/search");
  what.parameters.add("term", term).add_number("limit", options.limit).add_filters(options.filters);
  return what;
}

result<endpoint> image_save(const std::vector<std::string>& names, const image_save_options& options,
                            api_version version, diagnostics& why) {
  if (names.empty()) {
    why.set_client_message("no image is named that could be saved");
    return errc::invalid_argument;
  }
  endpoint what("GET", "/images/get");
  for (const auto& name : names) what.parameters.add("names", name);
  if (!options.platform.empty()) {
    if (auto has = what.require(version, {1, 48}, "the platform of a saved image", why); !has)
      return has.error();
    auto platform = platform_object(options.platform, why);
    if (!platform) return platform.error();
    what.parameters.add("platform", *platform);
  }
  // The one who pulls the bytes may take as long as they like over each.
  what.silent = true;
  return what;
}

result<endpoint> image_load(const image_load_options& options, api_version version, diagnostics& why) {
  endpoint what("POST", "/images/load");
  what.parameters.add("quiet", options.quiet ? "1" : "0");
  if (!options.platform.empty()) {
    if (auto has = what.require(version, {1, 48}, "the platform of a loaded image", why); !has)
      return has.error();
    auto platform = platform_object(options.platform, why);
    if (!platform) return platform.error();
    what.parameters.add("platform", *platform);
  }
  what.fields.push_back({"Content-Type", "application/x-tar"});
  what.silent = true;
  return what;
}

result<endpoint> image_import(const image_import_options& options, api_version version, diagnostics& why) {
  endpoint what("POST", "/images/create");
  what.parameters.add("fromSrc", "-");
  if (!options.reference.empty()) {
    if (auto checked = check_given(options.reference, why); !checked) return checked.error();
    const name_and_tag given = split_reference(options.reference);
    what.parameters.add("repo", given.name).add_text("tag", given.tag);
  }
  what.parameters.add_text("message", options.message);
  for (const auto& change : options.changes) what.parameters.add("changes", change);
  if (!options.platform.empty()) {
    if (auto has = what.require(version, {1, 32}, "the platform of an imported image", why); !has)
      return has.error();
    what.parameters.add("platform", options.platform);
  }
  what.fields.push_back({"Content-Type", "application/x-tar"});
  what.silent = true;
  return what;
}

}  // namespace dockline::engine::requests
