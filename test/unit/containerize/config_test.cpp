#include "dockline/containerize/config.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace dockline::containerize {
namespace {

containerize_options sound_options() {
  containerize_options options;
  options.entry_point = "train.py";
  return options;
}

// What the check says of options with one change; empty when they pass.
std::string fault(const std::function<void(containerize_options&)>& change,
                  errc expected = errc::invalid_argument) {
  containerize_options options = sound_options();
  change(options);
  diagnostics why;
  const auto checked = check_options(options, why);
  if (checked) return {};
  CHECK(checked.error() == expected);
  return why.client_message();
}

std::string read_fault(const std::string& json) {
  containerize_options options;
  options.entry_point = "before.py";
  diagnostics why;
  const auto read = read_options(json, "c.json", options, why);
  if (read) return {};
  CHECK(read.error() == errc::bad_configuration);
  // Nothing is taken of a file that is refused.
  CHECK(options.entry_point == "before.py");
  return why.client_message();
}

}  // namespace

TEST_SUITE("containerize/config") {
  TEST_CASE("an entry point is enough") {
    CHECK(fault([](auto&) {}) == "");
    CHECK(fault([](auto& o) { o.entry_point = "a b/n\u00f6te$.ipynb"; }) == "");
  }

  TEST_CASE("entry point, requirements and destination: field, value and rule are named") {
    CHECK(fault([](auto& o) { o.entry_point.clear(); }) == "entry_point: the program to run is missing");
    CHECK(fault([](auto& o) { o.entry_point = "train.sh"; }) ==
          "entry_point \"train.sh\": a program here ends in .py or .ipynb");
    CHECK(fault([](auto& o) {
            o.entry_point = "a\nb.py";
          }).ends_with(": a path here has no line breaks and no NUL"));
    CHECK(fault([](auto& o) { o.entry_point = "a\xff.py"; }) ==
          "entry_point \"a\uFFFD.py\": a path here is UTF-8");
    CHECK(fault([](auto& o) { o.requirements = "r\rq.txt"; }).starts_with("requirements \""));
    CHECK(fault([](auto& o) { o.destination_dir = "app"; }) ==
          "destination_dir \"app\": a directory in the image begins with '/'");
    CHECK(fault([](auto& o) { o.destination_dir = ""; }) ==
          "destination_dir: a directory in the image begins with '/'");
    CHECK(fault([](auto& o) { o.destination_dir = "/a\nRUN x"; }).starts_with("destination_dir \""));
  }

  TEST_CASE("references are read by the whole grammar") {
    for (const std::string good : {"app", "127.0.0.1:5000/team/app:1", "gcr.io/p/tf_cloud_train:a_b"}) {
      CHECK(fault([&](auto& o) { o.docker.image = good; }) == "");
      CHECK(fault([&](auto& o) { o.docker.parent_image = good; }) == "");
      CHECK(fault([&](auto& o) { o.docker.cache_from = good; }) == "");
    }
    const std::string digest = "app@sha256:" + std::string(64, 'a');
    CHECK(fault([&](auto& o) { o.docker.parent_image = digest; }) == "");
    CHECK(fault([&](auto& o) { o.docker.image = digest; }) ==
          "image \"" + digest + "\": an image that is yet to be built has no digest");
    CHECK(fault([](auto& o) { o.docker.image = "App"; }, errc::invalid_reference) ==
          "image: image reference \"App\": a repository name is lower case");
    CHECK(fault([](auto& o) { o.docker.parent_image = "a:b:c"; }, errc::invalid_reference)
              .starts_with("parent_image: image reference \"a:b:c\": "));
    CHECK(fault([](auto& o) { o.docker.cache_from = "a b"; }, errc::invalid_reference)
              .starts_with("cache_from: image reference \"a b\": "));
  }

  TEST_CASE("Google's names") {
    CHECK(
        fault([](auto& o) { o.docker.image_build_bucket = "My_Bucket"; }) ==
        "image_build_bucket \"My_Bucket\": a bucket's name has lower-case letters, digits, '-', '_' and '.' "
        "only");
    CHECK(fault([](auto& o) { o.project = "My Project"; }).starts_with("project \"My Project\": "));
    CHECK(fault([](auto& o) { o.region = "Europe"; }).starts_with("region \"Europe\": "));
    CHECK(fault([](auto& o) { o.registry = "europe-docker.pkg.dev/p/r"; }) == "");
    CHECK(fault([](auto& o) { o.registry = "https://gcr.io"; }).starts_with("registry \"https://gcr.io\": "));
  }

  TEST_CASE("options that contradict each other") {
    CHECK(fault([](auto& o) { o.from_notebook = true; })
              .starts_with("image_build_bucket: called from a notebook, where no daemon is, a build needs a "
                           "bucket"));
    CHECK(fault([](auto& o) {
            o.from_notebook = true;
            o.docker.image_build_bucket = "builds";
          }) == "");
    CHECK(fault([](auto& o) {
            o.push = false;
            o.docker.image_build_bucket = "builds";
          }).starts_with("image_build_bucket \"builds\": Google Cloud Build always pushes"));
    CHECK(fault([](auto& o) {
            o.region = "europe-west1";
          }).starts_with("region \"europe-west1\": is where Cloud Build runs"));
  }

  TEST_CASE("a configuration file sets what it names") {
    containerize_options options = sound_options();
    options.requirements = "kept.txt";
    diagnostics why;
    REQUIRE(
        read_options(R"({"entry_point": "a.py", "image": "app:1", "parent_image": "base", "cache_from": "c",
        "image_build_bucket": "builds", "destination_dir": "/srv", "project": "my-project", "region": "r1",
        "registry": "gcr.io/x", "accelerator": "gpu", "tpu": true, "from_notebook": true, "no_push": true,
        "requirements": null})",
                     "c.json", options, why));
    CHECK(options.entry_point == "a.py");
    CHECK(options.requirements == "kept.txt");
    CHECK(options.docker.image == "app:1");
    CHECK(options.docker.parent_image == "base");
    CHECK(options.docker.cache_from == "c");
    CHECK(options.docker.image_build_bucket == "builds");
    CHECK(options.destination_dir == "/srv");
    CHECK(options.project == "my-project");
    CHECK(options.region == "r1");
    CHECK(options.registry == "gcr.io/x");
    CHECK(options.accelerator == accelerator::gpu);
    CHECK(options.tpu);
    CHECK(options.from_notebook);
    CHECK_FALSE(options.push);
    REQUIRE(read_options(R"({"no_push": false, "accelerator": "none"})", "c.json", options, why));
    CHECK(options.push);
    CHECK(options.accelerator == accelerator::none);
  }

  TEST_CASE("a configuration file that is wrong is refused as a whole") {
    CHECK(read_fault("{\"entry_point\": ") == "c.json: is not JSON, from byte 16 on");
    CHECK(read_fault("[]") == "c.json: an object is expected: {\"entry_point\": …}");
    CHECK(read_fault(R"({"entry_point": "a.py", "entrypoint": 1})") ==
          "c.json: \"entrypoint\": there is no such key");
    CHECK(read_fault(R"({"entrypoint": null})") == "c.json: \"entrypoint\": there is no such key");
    CHECK(read_fault(R"({"image": "a", "image": "b"})") == "c.json: \"image\": is there twice");
    CHECK(read_fault(R"({"entry_point": "a.py", "tpu": "yes"})") ==
          "c.json: \"tpu\": true or false is expected");
    CHECK(read_fault(R"({"image": 1})") == "c.json: \"image\": a string is expected");
    CHECK(read_fault(R"({"accelerator": "TPU"})") ==
          "c.json: \"accelerator\": \"gpu\" or \"none\" is expected");
  }
}

}  // namespace dockline::containerize
