#include "dockline/containerize/environment.hpp"

#include "core/environment_variable.hpp"

namespace dockline::containerize {

containerize_environment containerize_environment_from_environment() {
  containerize_environment found;
  found.kaggle_image = environment_variable("KAGGLE_DOCKER_IMAGE");
  found.virtual_env = environment_variable("VIRTUAL_ENV");
  found.conda_prefix = environment_variable("CONDA_PREFIX");
  found.search_path = environment_variable("PATH");
  found.project = environment_variable("GOOGLE_CLOUD_PROJECT");
  if (found.project.empty()) found.project = environment_variable("GCLOUD_PROJECT");
  return found;
}

}  // namespace dockline::containerize
