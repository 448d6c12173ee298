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

  TEST_CASE("files from memory arrive with any builder, and rule out what needs a session") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY made /tree/\n");
    archive::context_options what;
    what.directory = tree.root();
    archive::extra_file made;
    made.name = "made";
    made.text = "in memory";
    what.extra_files.push_back(made);
    buildkit::build_options options;
    options.image = engine.tagged("memory");
    const session_outcome built = build(engine, what, options);
    REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
    CHECK(engine.run_probe(options.image.tags[0], {"walk", "/tree"}).out.ends_with("/made\n"));

    options.secrets.push_back(buildkit::secret::from_memory("id", "value"));
    const session_outcome refused = build(engine, what, options);
    CHECK(refused.code == condition::unsupported);
    CHECK(refused.why.client_message().find("files from memory") != std::string::npos);
  }
}

}  // namespace dockline::daemon_test
