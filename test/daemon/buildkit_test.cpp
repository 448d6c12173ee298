// Builds through buildkit::async_build on a real engine, whichever builder it has.

#include "dockline/buildkit/build.hpp"

#include "daemon/daemon_helpers.hpp"

#include <doctest/doctest.h>

#include <tuple>

namespace dockline::daemon_test {
namespace {

struct session_outcome {
  session_outcome() = default;

  error_code code;
  buildkit::build_result result;
  diagnostics why;
  std::string builder;
};

session_outcome build(engine_fixture& engine, archive::context_options what,
                      buildkit::build_options options) {
  session_outcome out;
  auto body = [&]() -> asio::awaitable<void> {
    auto [code, context] = co_await archive::async_open_context(engine.loop().get_executor(), std::move(what),
                                                                out.why, no_throw);
    out.code = code;
    if (code) co_return;
    progress::event_sink on_event = [&out](const progress::event& news) {
      if (const auto* chosen = std::get_if<progress::builder_chosen>(&news.body))
        out.builder = chosen->builder;
    };
    std::tie(out.code, out.result) = co_await buildkit::async_build(
        engine.daemon(), std::move(context), std::move(options), std::move(on_event), out.why, no_throw);
  };
  engine.run(body());
  return out;
}

}  // namespace

TEST_SUITE("daemon/buildkit") {
  TEST_CASE("the builder that the daemon has makes the image") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("tree/file", "content");
    tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY tree /tree\n");
    archive::context_options what;
    what.directory = tree.root();
    buildkit::build_options options;
    options.image = engine.tagged("session");
    const session_outcome built = build(engine, what, options);
    REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
    CHECK(built.builder == (engine_fixture::is_podman() ? "classic" : "buildkit"));
    CHECK(built.result.image_id.size() == 7 + 64);
    CHECK(engine.run_probe(options.image.tags[0], {"walk", "/tree"}).out ==
          probe_says({"walk", tree.path("tree")}));
  }

  TEST_CASE("files and a Dockerfile from memory arrive with any builder, whatever the rules say") {
    engine_fixture engine;
    const scratch_tree tree;
    const scratch_tree expected;
    tree.file("b.py", "on the disk", 0755);
    tree.file("kept", "content");
    tree.file(".dockerignore", "*.py\n.dockerignore\n");
    expected.file("b.py", "in memory", 0755);
    expected.file("kept", "content");
    archive::context_options what;
    what.directory = tree.root();
    const std::string dockerfile = "FROM " + base_image() + "\nCOPY . /tree/\n";
    what.dockerfile = archive::dockerfile_source::from_text(dockerfile);
    for (const char* name : {"z.py", "a-b.py", "b.py"}) {
      archive::extra_file made;
      made.name = name;
      made.text = "in memory";
      what.extra_files.push_back(made);
      if (made.name != "b.py") expected.file(name, made.text);
    }
    buildkit::build_options options;
    options.image = engine.tagged("memory");
    // The second time with another text of the same length, in the same second.
    for (const char* text : {"in memory", "otherwise"}) {
      for (const char* name : {"z.py", "a-b.py", "b.py"})
        expected.file(name, text, name[0] == 'b' ? 0755 : 0644);
      for (auto& made : what.extra_files) made.text = text;
      const session_outcome built = build(engine, what, options);
      REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
      CHECK(built.builder == (engine_fixture::is_podman() ? "classic" : "buildkit"));
      CHECK(engine.run_probe(options.image.tags[0], {"walk", "/tree"}).out ==
            probe_says({"walk", expected.root()}));
    }
  }

  TEST_CASE(
      "a Dockerfile or a file that has changed is read anew, even where its time and size are the same") {
    engine_fixture engine;
    const scratch_tree tree;
    buildkit::build_options options;
    options.image = engine.tagged("anew");
    archive::context_options what;
    what.directory = tree.root();
    for (const bool reproducible : {false, true}) {
      CAPTURE(reproducible);
      what.reproducible = reproducible;
      for (const std::string word : {"one", "two", "six"}) {
        CAPTURE(word);
        // In memory the Dockerfile's time is that of the build, in seconds.
        tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY tree /" + word + "\n");
        tree.file("tree/file", word);
        const session_outcome built = build(engine, what, options);
        REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
        CHECK(engine.run_probe(options.image.tags[0], {"walk", "/" + word}).out ==
              probe_says({"walk", tree.path("tree")}));
      }
    }
  }
}

}  // namespace dockline::daemon_test
