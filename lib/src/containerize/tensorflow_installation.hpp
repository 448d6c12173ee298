#pragma once

// The TensorFlow of this machine, found by the names of directories: neither it nor anything else is
// imported.

#include "dockline/containerize/environment.hpp"

#include "containerize/parent_image.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::containerize {

// Reads "tensorflow_cpu-2.15.0.dist-info", and "tensorflow-2.15.0-py3.11.egg-info" of older installers. Empty
// for what is no distribution of TensorFlow.
std::optional<tensorflow_version> read_distribution_name(std::string_view directory_name);

// The directories where Python keeps the packages of an environment, "lib/python3.11/site-packages" below its
// prefix; those of the newest Python first. Waits for the disk.
std::vector<std::string> site_packages_of(const std::string& prefix);

struct python_folders {
  python_folders() = default;

  std::vector<std::string> folders;
  std::string failure;  // why there are none: the interpreter, and what it did
};

// Where the interpreter looks for modules. Runs it, for `limit` at most.
python_folders ask_python(const std::string& interpreter, std::chrono::milliseconds limit,
                          const std::atomic<bool>& stopped);

struct tensorflow_search {
  tensorflow_search() = default;

  std::optional<tensorflow_version> found;
  std::string failure;  // why `python3` could not be asked, where it had to be
};

// In the active virtual environment, else in conda's, else where the `python3` of the search path looks.
// Waits for the disk, and for that program.
tensorflow_search find_tensorflow(const containerize_environment& environment,
                                  const std::atomic<bool>& stopped);

}  // namespace dockline::containerize
