#include "containerize/image_uri.hpp"

#include "containerize/refusal.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

namespace dockline::containerize {

std::string random_uuid() { return boost::uuids::to_string(boost::uuids::random_generator()()); }

std::string registry_of_project(std::string_view project) {
  std::string registry = "gcr.io/" + std::string(project);
  std::ranges::replace(registry, ':', '/');
  return registry;
}

std::string derived_image_uri(std::string_view registry, std::string_view uuid) {
  std::string tag(uuid);
  std::ranges::replace(tag, '-', '_');
  std::string uri(registry);
  if (!uri.empty() && !uri.ends_with('/')) uri += '/';
  return uri + "tf_cloud_train:" + tag;
}

result<std::string> choose_image(const containerize_options& options, const uuid_source& new_uuid,
                                 diagnostics& why) {
  if (!options.docker.image.empty()) return options.docker.image;
  std::string registry = options.registry;
  if (registry.empty() && !options.project.empty()) registry = registry_of_project(options.project);
  if (registry.empty() && options.push) {
    return refuse("image", {},
                  "an image that is pushed needs a place: name it (image), or name a project or a registry "
                  "where it gets a name of its own (project, registry), or do not push it (no_push)",
                  why);
  }
  return derived_image_uri(registry, new_uuid ? new_uuid() : random_uuid());
}

const std::string& choose_cache(const docker_config& docker) noexcept {
  return docker.cache_from.empty() ? docker.image : docker.cache_from;
}

}  // namespace dockline::containerize
