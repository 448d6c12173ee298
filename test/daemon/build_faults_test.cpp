// Builds with either builder, over a line that breaks: see broken_line.hpp.

#include "daemon/broken_line.hpp"

#include <doctest/doctest.h>

namespace dockline::daemon_test {

TEST_SUITE("daemon/faults") {
  TEST_CASE("a build: the image, or an error, and no image under its name that is another one") {
    engine_fixture engine;
    const std::string base = base_image();
    const engine::build_options tagged = engine.tagged("faults");
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base + "\nCOPY in /in\n");
    tree.file("in/data", std::string(20'000, 'd'));
    const std::string root = tree.root();
    break_everywhere(
        [tagged, root](engine::client daemon) -> asio::awaitable<outcome> {
          archive::context_options wanted;
          wanted.directory = root;
          wanted.mode = archive::ignore_mode::classic;
          auto [unreadable, context] =
              co_await archive::async_open_context(daemon.get_executor(), wanted, no_throw);
          if (unreadable) co_return unreadable;
          engine::build_options options = tagged;
          options.dockerfile = context.dockerfile_name();
          options.force_remove = true;
          std::shared_ptr<byte_source> source = context.pack();
          progress::event_sink ignore = [](const progress::event&) {};
          auto [code, image] = co_await engine::async_build(daemon, source, options, ignore, no_throw);
          if (code) co_return code;
          auto [missing, found] = co_await engine::async_image_inspect(daemon, image.id, no_throw);
          if (missing) co_return missing;
          co_return std::to_string(found.size);
        },
        8);
    // What is there under its name is what was built, to the last byte.
    if (!engine.has_image(tagged.tags.front())) return;
    const output there = engine.run_probe(tagged.tags.front(), {"walk", "/in"});
    const std::string here = probe_says({"walk", tree.path("in")});
    CHECK(there.out == here);
  }
}

}  // namespace dockline::daemon_test
