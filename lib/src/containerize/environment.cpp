#include "dockline/containerize/environment.hpp"

#include <cstdlib>

namespace dockline::containerize {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

containerize_environment containerize_environment_from_environment() {
  containerize_environment found;
  found.kaggle_image = variable("KAGGLE_DOCKER_IMAGE");
  found.virtual_env = variable("VIRTUAL_ENV");
  found.conda_prefix = variable("CONDA_PREFIX");
  found.search_path = variable("PATH");
  found.project = variable("GOOGLE_CLOUD_PROJECT");
  if (found.project.empty()) found.project = variable("GCLOUD_PROJECT");
  return found;
}

}  // namespace dockline::containerize
