#include "dockline/containerize/containerize.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dockline::containerize {
namespace {

namespace asio = boost::asio;
using archive::scratch_tree;

// A builder that builds nothing, and remembers what it was asked.
class fake_builder final : public image_builder {
 public:
  explicit fake_builder(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  asio::any_io_executor get_executor() const override { return executor_; }

  void start_look_up(std::string image, diagnostics*, completion_handler<image_lookup> handler) override {
    looked_up.push_back(std::move(image));
    asio::post(executor_, [handler = std::move(handler), code = lookup_code, answer = lookup]() mutable {
      std::move(handler)(code, std::move(answer));
    });
  }

  void start_build(image_order order, progress::event_sink on_event, diagnostics* why,
                   completion_handler<containerized_image> handler) override {
    ordered = order;
    progress::event what;
    what.body = progress::image_tagged{order.image};
    if (on_event) on_event(what);
    why->set_server_message("said by the builder");
    containerized_image image;
    image.image_uri = order.image;
    image.warnings = {"of the build"};
    asio::post(executor_, [handler = std::move(handler), code = build_code, image]() mutable {
      std::move(handler)(code, std::move(image));
    });
  }

  image_lookup lookup;
  error_code lookup_code;
  error_code build_code;
  std::vector<std::string> looked_up;
  std::optional<image_order> ordered;

 private:
  asio::any_io_executor executor_;
};

// A tree with a program, and an environment with a TensorFlow.
struct fixture {
  fixture() : builder(std::make_shared<fake_builder>(loop.get_executor())) {
    tree.file("training/mnist.py", "print(1)\n");
    options.working_directory = tree.root();
    options.entry_point = "training/mnist.py";
    options.docker.parent_image = "base:1";
    options.project = "my-project";
    environment.new_uuid = [] { return std::string("1-2-3"); };
  }

  void install(const std::string& distribution) {
    tree.directory("venv/lib/python3.11/site-packages/" + distribution + ".dist-info");
    environment.virtual_env = tree.path("venv");
    options.docker.parent_image.clear();
  }

  containerize_plan plan() {
    containerize_plan made;
    code = {};
    async_plan_image(builder, options, environment, sink(), why,
                     [&](error_code ended, containerize_plan plan) {
                       code = ended;
                       made = std::move(plan);
                     });
    CHECK(!code);
    loop.run();
    loop.restart();
    return made;
  }

  containerized_image containerize() {
    containerized_image made;
    async_containerize(builder, options, environment, sink(), why,
                       [&](error_code ended, containerized_image image) {
                         code = ended;
                         made = std::move(image);
                       });
    loop.run();
    loop.restart();
    return made;
  }

  progress::event_sink sink() {
    return [this](const progress::event& what) {
      if (const auto* warned = std::get_if<progress::warning>(&what.body)) warned_of.push_back(warned->text);
      if (std::holds_alternative<progress::image_tagged>(what.body)) ++tagged;
    };
  }

  // The parent image of a plan, and the check that its Dockerfile begins with it.
  std::string parent() {
    warned_of.clear();
    builder->looked_up.clear();
    const containerize_plan made = plan();
    REQUIRE_MESSAGE(!code, why.client_message());
    CHECK(made.order.context.dockerfile.value().starts_with("FROM " + made.parent_image + "\n"));
    CHECK(made.warnings == warned_of);
    return made.parent_image;
  }

  asio::io_context loop;
  scratch_tree tree;
  std::shared_ptr<fake_builder> builder;
  containerize_options options;
  containerize_environment environment;
  diagnostics why;
  error_code code;
  std::vector<std::string> warned_of;
  int tagged = 0;
};

}  // namespace

TEST_SUITE("containerize/containerize") {
  TEST_CASE("the name of the image") {
    fixture test;
    CHECK(test.plan().order.image == "gcr.io/my-project/tf_cloud_train:1_2_3");
    test.options.registry = "127.0.0.1:5000/team";
    CHECK(test.plan().order.image == "127.0.0.1:5000/team/tf_cloud_train:1_2_3");
    test.options.docker.image = "app";
    CHECK(test.plan().order.image == "app");
    test.options = containerize_options();
    test.options.working_directory = test.tree.root();
    test.options.entry_point = "training/mnist.py";
    test.options.docker.parent_image = "base";
    test.plan();
    CHECK(test.code == errc::invalid_argument);
    CHECK(test.why.client_message().starts_with(
        "image: an image that is pushed needs a place: name it (image)"));
    test.options.push = false;
    CHECK(test.plan().order.image == "tf_cloud_train:1_2_3");
    CHECK_FALSE(test.plan().order.push);
    test.environment.project = "env-project";
    CHECK(test.plan().order.image == "gcr.io/env-project/tf_cloud_train:1_2_3");
    test.environment.project = "Not A Project";
    test.plan();
    CHECK(test.why.client_message().starts_with("GOOGLE_CLOUD_PROJECT: project \"Not A Project\": "));
    // Where it is not used it may be anything.
    test.options.docker.image = "app";
    CHECK(test.plan().order.image == "app");
    CHECK_FALSE(test.code);
    test.options.docker.image.clear();
    test.environment.project.clear();
    test.environment.new_uuid = nullptr;
    CHECK(test.plan().order.image.size() == std::string("tf_cloud_train:").size() + 36);
  }

  TEST_CASE("the cache image: the one given, else the image when that was given, else none") {
    fixture test;
    CHECK(test.plan().order.cache_from == "");
    test.options.docker.image = "app:1";
    CHECK(test.plan().order.cache_from == "app:1");
    test.options.docker.cache_from = "cache:1";
    CHECK(test.plan().order.cache_from == "cache:1");
  }

  TEST_CASE("the context and the Dockerfile") {
    fixture test;
    test.tree.file("requirements.txt", "numpy\n");
    test.options.requirements = "requirements.txt";
    test.options.destination_dir = "/srv/code";
    test.options.tpu = true;
    const containerize_plan made = test.plan();
    CHECK(made.entry_point == "mnist.py");
    CHECK(made.order.context.directory == test.tree.path("training"));
    REQUIRE(made.order.context.extra_files.size() == 1);
    CHECK(made.order.context.extra_files[0].text == "numpy\n");
    CHECK(made.order.context.dockerfile.where() == archive::dockerfile_source::kind::text);
    CHECK(made.order.context.dockerfile.value() ==
          "FROM base:1\n"
          "WORKDIR /srv/code\n"
          "COPY [\"requirements.txt\", \"./\"]\n"
          "RUN [\"pip\", \"install\", \"--no-cache-dir\", \"-r\", \"requirements.txt\"]\n"
          "RUN [\"pip\", \"install\", \"--no-cache-dir\", \"cloud-tpu-client\"]\n"
          "COPY [\".\", \"./\"]\n"
          "ENTRYPOINT [\"python\", \"mnist.py\"]\n");
  }

  TEST_CASE("the parent image: given, Kaggle's, the local TensorFlow's if it is there, else the latest") {
    fixture test;
    test.environment.kaggle_image = "gcr.io/kaggle/python:v1";
    CHECK(test.parent() == "base:1");
    test.install("tensorflow-2.15.0");
    CHECK(test.parent() == "gcr.io/kaggle/python:v1");
    CHECK(test.builder->looked_up.empty());
    test.environment.kaggle_image = "K:";
    test.plan();
    CHECK(test.code == errc::invalid_reference);
    CHECK(test.why.client_message().starts_with("KAGGLE_DOCKER_IMAGE: image reference \"K:\""));
    test.environment.kaggle_image.clear();

    test.builder->lookup.presence = image_presence::present;
    test.options.accelerator = accelerator::gpu;
    CHECK(test.parent() == "tensorflow/tensorflow:2.15.0-gpu");
    CHECK(test.builder->looked_up == std::vector<std::string>{"tensorflow/tensorflow:2.15.0-gpu"});
    CHECK(test.warned_of.empty());

    test.builder->lookup.presence = image_presence::absent;
    test.builder->lookup.reason = "manifest unknown";
    CHECK(test.parent() == "tensorflow/tensorflow:latest-gpu");
    REQUIRE(test.warned_of.size() == 1);
    CHECK(test.warned_of[0] == "tensorflow/tensorflow:2.15.0-gpu, for tensorflow 2.15.0 in " +
                                   test.tree.path("venv/lib/python3.11/site-packages") +
                                   ", is not there: manifest unknown; the parent image is "
                                   "tensorflow/tensorflow:latest-gpu");
    test.options.accelerator = accelerator::none;
    test.builder->lookup.presence = image_presence::unknown;
    test.builder->lookup.reason = "no such host";
    CHECK(test.parent() == "tensorflow/tensorflow:latest");
    CHECK(test.warned_of[0].find("cannot be told: no such host; the parent image is") != std::string::npos);

    test.builder->lookup_code = errc::bad_configuration;
    test.plan();
    CHECK(test.code == errc::bad_configuration);
  }

  TEST_CASE("without a TensorFlow, or with one of no version, the latest image") {
    fixture test;
    test.install("tensorflow-unknown");
    CHECK(test.parent() == "tensorflow/tensorflow:latest");
    CHECK(test.warned_of[0].find("has a version that no image can have") != std::string::npos);
    test.environment.virtual_env.clear();
    CHECK(test.parent() == "tensorflow/tensorflow:latest");
    const std::string latest = "; the parent image is tensorflow/tensorflow:latest";
    CHECK(test.warned_of[0] ==
          "whether TensorFlow is installed here cannot be told: there is no python3 in PATH" + latest);
    test.tree.file("bin/python3", "#!/bin/sh\necho first >&2; echo 'no module: sys' >&2; exit 3\n", 0755);
    test.environment.search_path = test.tree.path("bin");
    CHECK(test.parent() == "tensorflow/tensorflow:latest");
    CHECK(test.warned_of[0] ==
          "whether TensorFlow is installed here cannot be told: " + test.tree.path("bin/python3") +
              " exited with status 3: no module: sys" + latest);
    test.tree.file("bin/python3", "#!/bin/sh\necho /none\n", 0755);
    CHECK(test.parent() == "tensorflow/tensorflow:latest");
    CHECK(test.warned_of[0] == "no TensorFlow is installed here" + latest);
    CHECK(test.builder->looked_up.empty());
  }

  TEST_CASE("bad input is found before the builder hears anything") {
    fixture test;
    test.options.entry_point = "none.py";
    test.containerize();
    CHECK(test.code == errc::invalid_argument);
    CHECK(test.why.client_message() == "entry_point \"none.py\": is not there");
    CHECK_FALSE(test.builder->ordered);
    CHECK(test.builder->looked_up.empty());
  }

  TEST_CASE("the builder gets the plan, and its result and warnings come back") {
    fixture test;
    test.tree.file("nb.ipynb",
                   R"json({"nbformat": 4, "cells": [{"cell_type": "code", "source": "%cd x"}]})json");
    test.options.entry_point = "nb.ipynb";
    containerized_image image = test.containerize();
    REQUIRE(!test.code);
    CHECK(image.image_uri == "gcr.io/my-project/tf_cloud_train:1_2_3");
    REQUIRE(image.warnings.size() == 2);
    CHECK(image.warnings[0].starts_with("nb.ipynb: "));
    CHECK(image.warnings[1] == "of the build");
    CHECK(test.tagged == 1);
    REQUIRE(test.builder->ordered);
    CHECK(test.builder->ordered->push);
    test.builder->build_code = errc::build_failed;
    test.containerize();
    CHECK(test.code == errc::build_failed);
    CHECK(test.why.server_message() == "said by the builder");
  }

  TEST_CASE("cancelling the plan") {
    fixture test;
    asio::cancellation_signal cancel;
    int completions = 0;
    async_containerize(
        test.builder, test.options, test.environment, nullptr, test.why,
        asio::bind_cancellation_slot(cancel.slot(), [&](error_code ended, containerized_image) {
          ++completions;
          test.code = ended;
        }));
    cancel.emit(asio::cancellation_type::terminal);
    test.loop.run();
    CHECK(completions == 1);
    CHECK(test.code == condition::cancelled);
    CHECK_FALSE(test.builder->ordered);
  }
}

}  // namespace dockline::containerize
