#pragma once

// What is to become an image, and how: the choices of tensorflow_cloud's DockerConfig and those around it.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::containerize {

// The image, and where it is built. Everything may be left empty.
struct docker_config {
  docker_config() = default;

  // The reference that the image gets. Empty: a new one, REGISTRY/tf_cloud_train:UUID.
  std::string image;
  // What it is built from. Empty: KAGGLE_DOCKER_IMAGE, else the image of the local TensorFlow's version, else
  // tensorflow/tensorflow:latest.
  std::string parent_image;
  // Whose layers may serve as cache. Empty: those of `image`, when that was given.
  std::string cache_from;
  // The Cloud Storage bucket by which Google Cloud Build gets the context. Empty: a local daemon builds.
  std::string image_build_bucket;
};

// What the program computes with.
enum class accelerator : std::uint8_t {
  none,  // the processor alone
  gpu    // graphics processors, by the TensorFlow image with the suffix "-gpu"
};

// What is to become an image, and how. Empty fields are chosen.
struct containerize_options {
  containerize_options() = default;

  // The image, and where it is built.
  docker_config docker;

  // The program: a .py file, or an .ipynb notebook, which is made a script. Its directory is what is copied
  // into the image. Relative paths start at working_directory.
  std::string entry_point;
  // A file of pip's requirements, installed before the code is copied. Empty: none.
  std::string requirements;
  // Where the code goes in the image, and where it runs. Absolute.
  std::string destination_dir = "/app/";

  // gpu: the TensorFlow image is the one with the tag's suffix "-gpu".
  containerize::accelerator accelerator = containerize::accelerator::none;
  // Installs the client of Cloud TPUs.
  bool tpu = false;
  // The caller is a notebook, which has no daemon: image_build_bucket is then needed.
  bool from_notebook = false;
  // Pushes the image after a local build. Cloud Build always pushes.
  bool push = true;

  // The Google Cloud project. Empty: what containerize_environment says.
  std::string project;
  // The region in which Cloud Build runs: "europe-west1". Empty: "global". Only with image_build_bucket.
  std::string region;
  // Where an image without a name of its own goes: "europe-docker.pkg.dev/project/repository". Empty:
  // "gcr.io/PROJECT".
  std::string registry;

  // The tree that the entry point has to lie in. Empty: the working directory of the process.
  std::string working_directory;

  // Where the disk is read, so that the caller's event loop never waits for it. Empty: a small pool of
  // threads for each operation.
  boost::asio::any_io_executor work;
};

// Checks everything that can be told without a look at the disk.
// Errors: errc::invalid_argument, or errc::invalid_reference for an image's name; the diagnostics name the
// field, its value and the rule that it breaks.
DOCKLINE_API result<void> check_options(const containerize_options& options, diagnostics& why);

// Sets the options that a JSON object names, by keys as they are written above: entry_point, requirements,
// destination_dir, image, parent_image, cache_from, image_build_bucket, project, region, registry,
// accelerator ("gpu" or "none"), tpu, from_notebook, no_push. A null leaves an option as it is. `path` is for
// the messages.
// Errors: errc::bad_configuration for what is no JSON object, an unknown or doubled key, a value of the wrong
// type; the diagnostics name the path and the key.
DOCKLINE_API result<void> read_options(std::string_view json, std::string_view path,
                                       containerize_options& options, diagnostics& why);

}  // namespace dockline::containerize
