// Images on their way to and from a real engine: as tars, and where there is one, to and from a registry.
//
// DOCKLINE_TEST_REGISTRY ("127.0.0.1:5000") is a registry that the engine reaches and speaks to without TLS;
// DOCKLINE_TEST_CLOSED_REGISTRY one that wants the user "test" with the password "test".

#include "dockline/engine/distribution.hpp"
#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_transfer.hpp"

#include "daemon/daemon_helpers.hpp"
#include "support/text_source.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

namespace dockline::daemon_test {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

engine::registry_auth test_user(std::string password = "test") {
  return engine::registry_auth("test", std::move(password));
}

}  // namespace

TEST_SUITE("daemon/transfers") {
  TEST_CASE("what was saved can be loaded, and told with its name") {
    engine_fixture engine;
    auto look = [](engine_fixture& on, std::string name) -> asio::awaitable<void> {
      const engine::client daemon = on.daemon();
      co_await engine::async_image_tag(daemon, base_image(), name);
      std::vector<std::string> names = {name};
      auto source = co_await engine::async_image_save(daemon, names, {});
      std::string tar = co_await read_all(source);
      co_await engine::async_image_remove(daemon, name, {});
      auto bytes = std::make_shared<test::text_source>(on.loop().get_executor(), std::move(tar));
      const auto loaded = co_await engine::async_image_load(daemon, bytes, {}, {});
      REQUIRE(loaded.references.size() == 1);
      CHECK(loaded.references[0].find(name) != std::string::npos);
      co_await engine::async_image_inspect(daemon, name);

      diagnostics why;
      auto nonsense = std::make_shared<test::text_source>(on.loop().get_executor(), std::string(2000, 'x'));
      auto [code, nothing] = co_await engine::async_image_load(daemon, nonsense, {}, {}, why, no_throw);
      CHECK_MESSAGE((code == errc::operation_failed || code == errc::service_failed), describe(code, why));
      CHECK_FALSE(why.server_message().empty());
      std::shared_ptr<byte_source> none;
      auto [empty, still_nothing] = co_await engine::async_image_load(daemon, none, {}, {}, why, no_throw);
      CHECK(empty == errc::invalid_argument);
    };
    engine.run(look(engine, engine.name("loaded")));
  }

  TEST_CASE("a tar of files becomes an image") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("file", "content");
    tree.file("Dockerfile", "FROM scratch\nCOPY file /\n");
    auto look = [](engine_fixture& on, std::string tar, std::string name) -> asio::awaitable<void> {
      const engine::client daemon = on.daemon();
      engine::image_import_options options;
      options.reference = name;
      options.message = "by a test";
      options.changes = {"ENV A=1"};
      auto source = std::make_shared<test::text_source>(on.loop().get_executor(), std::move(tar));
      const std::string id = co_await engine::async_image_import(daemon, source, options, {});
      CHECK(id.starts_with("sha256:"));
      const auto found = co_await engine::async_image_inspect(daemon, id);
      REQUIRE(found.config.env.size() == 1);
      CHECK(found.config.env[0] == "A=1");
      // podman 4 gives it another name than the one that was asked for.
      engine::image_remove_options forced;
      forced.force = true;
      auto [code, gone] = co_await engine::async_image_remove(daemon, id, forced, no_throw);
      CHECK_FALSE(code);
    };
    auto pack = [](engine_fixture& on, std::string directory) -> asio::awaitable<std::string> {
      archive::context_options wanted;
      wanted.directory = directory;
      wanted.compress = archive::compression::none;
      auto context = co_await archive::async_open_context(on.loop().get_executor(), wanted);
      std::shared_ptr<byte_source> source = context.pack();
      co_return co_await read_all(source);
    };
    std::string tar = engine.run(pack(engine, tree.root()));
    engine.run(look(engine, std::move(tar), engine.name("imported")));
  }

  TEST_CASE("what cannot be pushed or pulled: no such image, no such registry") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string none) -> asio::awaitable<void> {
      diagnostics why;
      const std::string nowhere = "127.0.0.1:1/" + none;
      auto [missing, nothing] = co_await engine::async_image_push(daemon, nowhere, {}, {}, why, no_throw);
      CHECK_MESSAGE(missing == condition::not_found, describe(missing, why));
      auto [code, pulled] = co_await engine::async_image_pull(daemon, nowhere, {}, {}, why, no_throw);
      CHECK_MESSAGE(code == condition::service_failed, describe(code, why));
      CHECK_MESSAGE(why.server_message().find("connection refused") != std::string::npos,
                    why.server_message());
    };
    engine.run(look(engine.daemon(), engine.name("none")));
  }

  TEST_CASE("push, ask the registry, remove, pull by tag and by digest") {
    const std::string registry = environment("DOCKLINE_TEST_REGISTRY");
    if (registry.empty()) {
      MESSAGE("skipped: DOCKLINE_TEST_REGISTRY is not set");
      return;
    }
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name, std::string none) -> asio::awaitable<void> {
      co_await engine::async_image_tag(daemon, base_image(), name + ":1");
      int events = 0;
      progress::event_sink count = [&](const progress::event&) { ++events; };
      const auto pushed = co_await engine::async_image_push(daemon, name + ":1", {}, count);
      CHECK(events > 0);
      REQUIRE(pushed.tags.size() == 1);
      CHECK(pushed.tags[0].tag == "1");
      const std::string digest = pushed.tags[0].digest;
      CHECK(digest.size() == 71);

      diagnostics why;
      auto [unknown, info] =
          co_await engine::async_distribution_inspect(daemon, name + ":1", {}, why, no_throw);
      // podman lacks the endpoint.
      if (engine_fixture::is_podman()) {
        CHECK(unknown == condition::not_found);
      } else {
        REQUIRE_MESSAGE(!unknown, describe(unknown, why));
        CHECK(info.digest == digest);
        // dockerd 28 does not look into the manifests that its containerd store writes.
        CHECK(info.platforms.size() <= 1);
      }

      const auto before = co_await engine::async_image_inspect(daemon, name + ":1");
      co_await engine::async_image_remove(daemon, name + ":1", {});
      events = 0;
      const auto pulled = co_await engine::async_image_pull(daemon, name + ":1", {}, count);
      CHECK(events > 0);
      // podman knows the image by the digest that it had here as well.
      CHECK((pulled.digest == digest || (pulled.digest.empty() && engine_fixture::is_podman())));
      CHECK(pulled.id.ends_with(before.id));
      const auto again = co_await engine::async_image_pull(daemon, name + "@" + digest, {}, {});
      CHECK(again.digest == digest);

      auto [code, nothing] = co_await engine::async_image_pull(daemon, name + ":none", {}, {}, why, no_throw);
      CHECK_MESSAGE(code == condition::not_found, describe(code, why));
      auto [absent, still] = co_await engine::async_image_pull(daemon, none, {}, {}, why, no_throw);
      CHECK_MESSAGE(absent == condition::not_found, describe(absent, why));
    };
    const std::string name = registry + "/" + engine.name("pushed");
    engine.remember(name + ":1");
    engine.remember(name);
    engine.run(look(engine.daemon(), name, registry + "/" + engine.name("none")));
  }

  TEST_CASE("a registry that wants credentials") {
    const std::string registry = environment("DOCKLINE_TEST_CLOSED_REGISTRY");
    if (registry.empty()) {
      MESSAGE("skipped: DOCKLINE_TEST_CLOSED_REGISTRY is not set");
      return;
    }
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      co_await engine::async_image_tag(daemon, base_image(), name);
      diagnostics why;
      auto [anonymous, a] = co_await engine::async_image_push(daemon, name, {}, {}, why, no_throw);
      CHECK_MESSAGE(anonymous == condition::unauthorized, describe(anonymous, why));
      engine::push_options options;
      options.auth = test_user("wrong");
      auto [wrong, b] = co_await engine::async_image_push(daemon, name, options, {}, why, no_throw);
      CHECK_MESSAGE(wrong == condition::unauthorized, describe(wrong, why));
      options.auth = test_user();
      auto [code, pushed] = co_await engine::async_image_push(daemon, name, options, {}, why, no_throw);
      CHECK_MESSAGE(!code, describe(code, why));

      auto [closed, c] = co_await engine::async_image_pull(daemon, name, {}, {}, why, no_throw);
      CHECK_MESSAGE(closed == condition::unauthorized, describe(closed, why));
      engine::pull_options with;
      with.auth = test_user();
      auto [open, pulled] = co_await engine::async_image_pull(daemon, name, with, {}, why, no_throw);
      CHECK_MESSAGE(!open, describe(open, why));
    };
    const std::string name = registry + "/" + engine.name("closed");
    engine.remember(name);
    engine.run(look(engine.daemon(), name));
  }
}

}  // namespace dockline::daemon_test
