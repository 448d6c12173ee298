// A program that becomes an image, over a line to the engine that breaks: see broken_line.hpp.

#include "dockline/containerize/containerize.hpp"
#include "dockline/containerize/local_builder.hpp"
#include "dockline/engine/distribution.hpp"

#include "daemon/broken_line.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

namespace dockline::daemon_test {
TEST_SUITE("daemon/build faults") {
  TEST_CASE("a program becomes the image that runs it, here and in the registry, or there is an error") {
    const char* registry = std::getenv("DOCKLINE_TEST_REGISTRY");
    if (registry == nullptr) {
      MESSAGE("skipped: DOCKLINE_TEST_REGISTRY is not set");
      return;
    }
    engine_fixture engine;
    const std::string own = std::string(registry) + "/" + engine.name("program");
    changing_tree tree("FROM scratch\n");
    tree.file("main.py", "print('hello')\n");
    const auto tag = [&] { return own + ":" + std::to_string(tree.number()); };
    std::string digest;
    breaking how(4);
    how.endless = true;
    how.afterwards = [&](const attempted& it) {
      if (it.succeeded && it.how.kind != test::line_fault::corrupt && !engine_fixture::is_podman())
        CHECK(digest_in_registry(engine, tag()) == digest);
      check_image(engine, it, tag(), tree.content());
    };
    break_everywhere(
        [&](engine::client daemon) -> asio::awaitable<std::string> {
          tree.change();
          containerize::containerize_options options;
          options.working_directory = tree.options().directory;
          options.entry_point = "main.py";
          options.destination_dir = "/";
          options.docker.image = tag();
          options.docker.parent_image = base_image();
          containerize::containerize_environment nothing;
          progress::event_sink ignore = [](const progress::event&) {};
          auto builder = containerize::make_local_builder(daemon);
          const auto made = co_await containerize::async_containerize(builder, options, nothing, ignore);
          digest = made.digest;
          co_return std::string(made.image_uri == tag() ? "named " : "") + (digest.empty() ? "" : "pushed");
        },
        how);
  }

  TEST_CASE("what would be built is from the image of the local TensorFlow, or a warning says why not") {
    engine_fixture engine;
    const std::string version = "9." + engine.name("x").substr(std::string("dockline-test-").size());
    const std::string image = "tensorflow/tensorflow:" + version;
    engine.remember(image);
    give_name(engine, base_image(), image);
    changing_tree tree("FROM scratch\n");
    tree.file("main.py", "print('hello')\n");
    tree.file("venv/lib/python3.11/site-packages/tensorflow-" + version + ".dist-info/METADATA", "");
    breaking how(6);
    how.endless = true;
    how.never_fails = true;
    how.is_right = [](const std::string& made, const std::string& right, const test::line_plan&) {
      return made == right || made.ends_with(" warned");
    };
    break_everywhere(
        [&](engine::client daemon) -> asio::awaitable<std::string> {
          containerize::containerize_options options;
          options.working_directory = tree.options().directory;
          options.entry_point = "main.py";
          options.docker.image = "program";
          containerize::containerize_environment here;
          here.virtual_env = options.working_directory + "/venv";
          progress::event_sink ignore = [](const progress::event&) {};
          auto builder = containerize::make_local_builder(daemon);
          const auto plan = co_await containerize::async_plan_image(builder, options, here, ignore);
          co_return plan.parent_image + (plan.warnings.empty() ? "" : " warned");
        },
        how);
  }
}

}  // namespace dockline::daemon_test
