#include "containerize/parent_image.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::containerize {
namespace {

std::string tag(const std::string& version, accelerator kind = accelerator::none, int python_major = 3,
                const std::string& distribution = "tensorflow") {
  tensorflow_version found;
  found.version = version;
  found.python_major = python_major;
  found.distribution = distribution;
  const std::string image = tensorflow_image(found, kind);
  if (image.empty()) return image;
  REQUIRE(image.starts_with("tensorflow/tensorflow:"));
  return image.substr(image.find(':') + 1);
}

}  // namespace

TEST_SUITE("containerize/parent_image") {
  TEST_CASE("versions become tags") {
    CHECK(tag("2.15.0") == "2.15.0");
    CHECK(tag("2.15.0", accelerator::gpu) == "2.15.0-gpu");
    CHECK(tag("2.15.0+nv") == "2.15.0");
    CHECK(tag("2.15.0+nv23.11", accelerator::gpu) == "2.15.0-gpu");
    CHECK(tag("2.15.0.post1") == "2.15.0.post1");
    for (const std::string candidate :
         {"2.15.0rc1", "2.15.0-rc1", "2.15.0.rc1", "2.15.0_rc.1", "2.15.0rc1+local"}) {
      CHECK_MESSAGE(tag(candidate) == "2.15.0rc1", candidate);
      CHECK_MESSAGE(tag(candidate, accelerator::gpu) == "2.15.0rc1-gpu", candidate);
    }
  }

  TEST_CASE("nightly builds, whatever their version and suffix") {
    CHECK(tag("2.17.0.dev20240101", accelerator::none, 3, "tf-nightly") == "nightly");
    CHECK(tag("2.17.0.dev20240101", accelerator::gpu, 3, "tf-nightly-cpu") == "nightly-gpu");
  }

  TEST_CASE("Python 3 has a tag of its own up to 2.1, compared as numbers") {
    CHECK(tag("2.1.0") == "2.1.0-py3");
    CHECK(tag("2.1.4", accelerator::gpu) == "2.1.4-gpu-py3");
    CHECK(tag("2.0.0rc1") == "2.0.0rc1-py3");
    CHECK(tag("1.15.0", accelerator::gpu) == "1.15.0-gpu-py3");
    CHECK(tag("1.15.0", accelerator::none, 2) == "1.15.0");
    CHECK(tag("2.10.0") == "2.10.0");
    CHECK(tag("2.11.1", accelerator::gpu) == "2.11.1-gpu");
    CHECK(tag("2.2.0") == "2.2.0");
    CHECK(tag("3.0.0") == "3.0.0");
    CHECK(tag("10.1.0") == "10.1.0");
  }

  TEST_CASE("what is no version makes no image") {
    for (const std::string bad : {"", "unknown", "+nv", "1!2.0 x", "2.0/3", "2.0\n"}) CHECK(tag(bad) == "");
    CHECK(latest_tensorflow_image(accelerator::none) == "tensorflow/tensorflow:latest");
    CHECK(latest_tensorflow_image(accelerator::gpu) == "tensorflow/tensorflow:latest-gpu");
  }
}

}  // namespace dockline::containerize
