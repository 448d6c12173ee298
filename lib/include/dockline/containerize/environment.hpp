#pragma once

#include "dockline/core/export.hpp"

#include <functional>
#include <string>

namespace dockline::containerize {

// What the environment says. A default-constructed one says nothing, and then nothing is looked for: neither
// a local TensorFlow nor a project.
struct containerize_environment {
  containerize_environment() = default;

  std::string kaggle_image;  // KAGGLE_DOCKER_IMAGE: the image that a notebook of Kaggle's runs in
  std::string virtual_env;   // VIRTUAL_ENV: the active virtual environment
  std::string conda_prefix;  // CONDA_PREFIX: the active environment of conda
  std::string search_path;   // PATH: where python3 is
  std::string project;       // GOOGLE_CLOUD_PROJECT, else GCLOUD_PROJECT

  // Gives the UUID of a new image's name. Empty: random ones.
  std::function<std::string()> new_uuid;
};

// The environment of this process. Reads no file.
DOCKLINE_API containerize_environment containerize_environment_from_environment();

}  // namespace dockline::containerize
