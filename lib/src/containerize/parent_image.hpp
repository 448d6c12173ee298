#pragma once

// Which of Docker Hub's TensorFlow images goes with an installation.

#include "dockline/containerize/config.hpp"

#include <string>

namespace dockline::containerize {

// A TensorFlow that was found on this machine.
struct tensorflow_version {
  tensorflow_version() = default;

  std::string distribution;  // "tensorflow", "tf-nightly": a normalised name
  std::string version;       // as the distribution writes it: "2.15.0rc1", "2.15.0+nv"
  int python_major = 3;
  std::string where;  // the directory that has it
};

// "tensorflow/tensorflow:2.15.0-gpu". Empty when the version is none that could be a tag.
std::string tensorflow_image(const tensorflow_version& found, accelerator kind);

// "tensorflow/tensorflow:latest", or "latest-gpu".
std::string latest_tensorflow_image(accelerator kind);

}  // namespace dockline::containerize
