#pragma once

// The names of the image and of its cache, where they were not given.

#include "dockline/containerize/config.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace dockline::containerize {

// Gives a new UUID, "123e4567-e89b-42d3-a456-426614174000", with each call.
using uuid_source = std::function<std::string()>;

// A random one (version 4).
std::string random_uuid();

// Where a project's images are: "gcr.io/PROJECT", a domain's project with '/' in the place of its ':'.
std::string registry_of_project(std::string_view project);

// REGISTRY/tf_cloud_train:UUID, with '_' for the '-' of the UUID. Without a registry a local name.
std::string derived_image_uri(std::string_view registry, std::string_view uuid);

// The image's own name; else a new one in the registry, else in the project's; else, when it is not pushed, a
// local one. `new_uuid` is called when a new one is made; empty: random_uuid().
result<std::string> choose_image(const containerize_options& options, const uuid_source& new_uuid,
                                 diagnostics& why);

// Whose layers may serve as cache: those of the image that is named for it, else those of an image that was
// given its name. Empty: nobody's.
const std::string& choose_cache(const docker_config& docker) noexcept;

}  // namespace dockline::containerize
