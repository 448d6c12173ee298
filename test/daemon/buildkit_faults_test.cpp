// Builds in a BuildKit session, over a line that breaks: see broken_line.hpp.

#include "dockline/buildkit/build.hpp"

#include "daemon/broken_line.hpp"

#include <doctest/doctest.h>

namespace dockline::daemon_test {

TEST_SUITE("daemon/faults") {
  TEST_CASE("a build in a session: the image, or an error, and no image under its name that is another one") {
    engine_fixture engine;
    if (engine_fixture::is_podman()) {
      MESSAGE("skipped: podman has no sessions");
      return;
    }
    const engine::build_options tagged = engine.tagged("session-faults");
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY in /in\n");
    tree.file("in/data", std::string(20'000, 'd'));
    const std::string root = tree.root();
    break_everywhere(
        [tagged, root](engine::client daemon) -> asio::awaitable<outcome> {
          archive::context_options wanted;
          wanted.directory = root;
          auto [unreadable, context] =
              co_await archive::async_open_context(daemon.get_executor(), wanted, no_throw);
          if (unreadable) co_return unreadable;
          buildkit::build_options options;
          options.builder = buildkit::builder_choice::buildkit;
          options.image = tagged;
          progress::event_sink ignore = [](const progress::event&) {};
          auto [code, built] =
              co_await buildkit::async_build(daemon, std::move(context), options, ignore, no_throw);
          if (code) co_return code;
          auto [missing, found] = co_await engine::async_image_inspect(daemon, built.image_id, no_throw);
          if (missing) co_return missing;
          co_return std::to_string(found.size);
        },
        8);
    if (!engine.has_image(tagged.tags.front())) return;
    const output there = engine.run_probe(tagged.tags.front(), {"walk", "/in"});
    const std::string here = probe_says({"walk", tree.path("in")});
    CHECK(there.out == here);
  }
}

}  // namespace dockline::daemon_test
