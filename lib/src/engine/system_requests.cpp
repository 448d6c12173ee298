#include "engine/system_requests.hpp"

#include "dockline/core/diagnostics.hpp"

namespace dockline::engine::requests {
endpoint info() { return endpoint("GET", "/info"); }

endpoint events(const events_options& options) {
  endpoint what("GET", "/events");
  if (options.since) what.parameters.add("since", seconds_before(*options.since));
  if (options.until) what.parameters.add("until", seconds_after(*options.until));
  what.parameters.add_filters(options.filters);
  what.silent = true;
  return what;
}

result<endpoint> disk_usage(const disk_usage_options& options, api_version version, diagnostics& why) {
  endpoint what("GET", "/system/df");
  if (!options.types.empty()) {
    if (auto has = what.require(version, {1, 42}, "the choice of what to look at", why); !has)
      return has.error();
  }
  for (const auto& type : options.types) what.parameters.add("type", type);
  what.silent = true;
  return what;
}

result<endpoint> build_prune(const build_prune_options& options, api_version version, diagnostics& why) {
  endpoint what("POST", "/build/prune");
  if (auto has = what.require(version, {1, 31}, "pruning the build cache", why); !has) return has.error();
  // What 1.48 calls reserved-space was keep-storage before.
  constexpr api_version spaces{1, 48};
  if (options.max_used_space != 0 || options.min_free_space != 0) {
    if (auto has = what.require(version, spaces, "a bound on the build cache's space", why); !has)
      return has.error();
  }
  what.parameters.add_flag("all", options.all).add_filters(options.filters);
  what.parameters.add_number(version >= spaces ? "reserved-space" : "keep-storage", options.reserved_space);
  what.parameters.add_number("max-used-space", options.max_used_space);
  what.parameters.add_number("min-free-space", options.min_free_space);
  what.silent = true;
  return what;
}

result<endpoint> build_cancel(std::string_view build_id, api_version version, diagnostics& why) {
  endpoint what("POST", "/build/cancel");
  if (auto has = what.require(version, {1, 39}, "cancelling a build", why); !has) return has.error();
  if (build_id.empty()) {
    why.set_client_message("no build is named that could be cancelled");
    return errc::invalid_argument;
  }
  what.parameters.add("id", build_id);
  return what;
}

}  // namespace dockline::engine::requests
