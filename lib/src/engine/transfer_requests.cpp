#include "engine/transfer_requests.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include "engine/image_requests.hpp"
#include "engine/registry_auth_header.hpp"

namespace dockline::engine::requests {
namespace {

// The name as repository and tag: "latest" without one, and none where all are meant.
result<name_and_tag> split_name(std::string_view name, bool all_tags, diagnostics& why) {
  auto parsed = parse_image_ref(name, why);
  if (!parsed) return parsed.error();
  name_and_tag parts = split_reference(name);
  // "app:1@sha256:…" is known by its digest alone.
  if (!parsed->digest.empty()) parts.name = split_reference(parts.name).name;
  if (all_tags && !parts.tag.empty()) {
    why.set_client_message("name \"" + std::string(name) + "\": all tags are meant, and one is given");
    return errc::invalid_argument;
  }
  if (!all_tags && parts.tag.empty()) parts.tag = "latest";
  return parts;
}

void add_auth(endpoint& what, const registry_auth& auth) {
  what.fields.push_back({"X-Registry-Auth", encode_registry_auth(auth)});
}

}  // namespace

result<endpoint> image_push(std::string_view name, const push_options& options, api_version version,
                            diagnostics& why) {
  auto parts = split_name(name, options.all_tags, why);
  if (!parts) return parts.error();
  if (name.find('@') != name.npos) {
    why.set_client_message("name \"" + std::string(name) + "\": a digest cannot be pushed, only a tag");
    return errc::invalid_argument;
  }
  endpoint what("POST", "/images/" + escape_name(parts->name) + "/push");
  what.parameters.add_text("tag", parts->tag);
  if (!options.platform.empty()) {
    if (auto has = what.require(version, {1, 46}, "the platform of a push", why); !has) return has.error();
    auto platform = platform_object(options.platform, why);
    if (!platform) return platform.error();
    what.parameters.add("platform", *platform);
  }
  add_auth(what, options.auth);
  what.silent = true;
  return what;
}

result<endpoint> image_pull(std::string_view name, const pull_options& options, api_version version,
                            diagnostics& why) {
  auto parts = split_name(name, options.all_tags, why);
  if (!parts) return parts.error();
  endpoint what("POST", "/images/create");
  what.parameters.add("fromImage", parts->name).add_text("tag", parts->tag);
  if (!options.platform.empty()) {
    if (auto has = what.require(version, {1, 32}, "the platform of a pull", why); !has) return has.error();
    what.parameters.add("platform", options.platform);
  }
  add_auth(what, options.auth);
  what.silent = true;
  return what;
}

result<endpoint> distribution_inspect(std::string_view name, const registry_auth& auth, api_version version,
                                      diagnostics& why) {
  endpoint what("GET", "/distribution/" + escape_name(name) + "/json");
  if (auto parsed = parse_image_ref(name, why); !parsed) return parsed.error();
  if (auto has = what.require(version, {1, 30}, "asking a registry", why); !has) return has.error();
  add_auth(what, auth);
  return what;
}

}  // namespace dockline::engine::requests
