#pragma once

// The name of an image that was given none.

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

}  // namespace dockline::containerize
