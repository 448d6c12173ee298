// Images and what the daemon tells of itself, on a real engine.

#include "dockline/engine/disk_usage.hpp"
#include "dockline/engine/events.hpp"
#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_list.hpp"

#include "daemon/daemon_helpers.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace dockline::daemon_test {
namespace {

// podman writes a short name out.
bool names(const std::string& shown, const std::string& reference) {
  return shown == reference + ":latest" || shown == "docker.io/library/" + reference + ":latest" ||
         shown == "localhost/" + reference + ":latest";
}

bool has_name(const std::vector<std::string>& shown, const std::string& reference) {
  return std::ranges::any_of(shown, [&](const std::string& one) { return names(one, reference); });
}

std::string without_algorithm(const std::string& id) { return id.starts_with("sha256:") ? id.substr(7) : id; }

// An image of its own, with a label that no other has.
std::string labelled_image(engine_fixture& engine, const std::string& label) {
  const scratch_tree tree;
  tree.file("Dockerfile", "FROM " + base_image() + "\nLABEL " + label + "=1\n");
  const auto options = engine.tagged("labelled");
  const auto built = engine.build(tree, options);
  REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
  return options.tags.front();
}

}  // namespace

TEST_SUITE("daemon/images") {
  TEST_CASE("tag, list, inspect, history and remove tell of the same image") {
    engine_fixture engine;
    const std::string image = labelled_image(engine, "dockline-one");
    auto look = [](engine::client daemon, std::string name, std::string second) -> asio::awaitable<void> {
      co_await engine::async_image_tag(daemon, name, second + ":latest");
      const auto found = co_await engine::async_image_inspect(daemon, second);
      CHECK(has_name(found.repo_tags, second));
      CHECK(has_name(found.repo_tags, name));
      CHECK(found.raw.find(without_algorithm(found.id)) != std::string::npos);
      CHECK(found.config.labels.at("dockline-one") == "1");

      engine::image_list_options narrow;
      narrow.filters = {{"label", {"dockline-one"}}};
      auto rows = co_await engine::async_image_list(daemon, narrow);
      std::erase_if(rows, [&](const auto& row) { return !has_name(row.repo_tags, second); });
      REQUIRE(rows.size() == 1);
      CHECK(without_algorithm(rows[0].id) == without_algorithm(found.id));
      CHECK(rows[0].size > 0);
      CHECK(rows[0].created > 1'700'000'000);
      CHECK(rows[0].labels.at("dockline-one") == "1");

      const auto layers = co_await engine::async_image_history(daemon, second);
      REQUIRE(layers.size() >= 2);
      CHECK(layers[0].created_by.find("dockline-one") != std::string::npos);
      CHECK(layers[0].size == 0);
      // podman 4 tells them of another layer.
      CHECK((has_name(layers[0].tags, second) || engine_fixture::is_podman()));

      const auto gone = co_await engine::async_image_remove(daemon, second, {});
      CHECK(has_name(gone.untagged, second));
      CHECK(gone.deleted.empty());
      diagnostics why;
      auto [code] = co_await engine::async_image_tag(daemon, second, "x", why, no_throw);
      CHECK(code == condition::not_found);
      auto [bad] = co_await engine::async_image_tag(daemon, name, "Bad", why, no_throw);
      CHECK(bad == errc::invalid_reference);
    };
    engine.run(look(engine.daemon(), image, engine.name("second")));
  }

  TEST_CASE("save gives a tar that the engine's own commands read; what is not there is not found") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string none) -> asio::awaitable<void> {
      std::vector<std::string> wanted = {base_image()};
      auto source = co_await engine::async_image_save(daemon, wanted, {});
      const std::string tar = co_await read_all(source);
      CHECK(tar.size() > 10'000);
      CHECK(tar.size() % 512 == 0);
      CHECK(tar.find("manifest.json") != std::string::npos);
      // An engine reads the names before it answers, or fails in the middle of the answer.
      diagnostics why;
      std::vector<std::string> missing = {none};
      auto [code, nothing] = co_await engine::async_image_save(daemon, missing, {}, why, no_throw);
      CHECK(code);
      CHECK_MESSAGE((code == condition::not_found || code == condition::service_failed), code.message());
      std::vector<std::string> nobody;
      auto [empty, still_nothing] = co_await engine::async_image_save(daemon, nobody, {}, why, no_throw);
      CHECK(empty == errc::invalid_argument);
    };
    engine.run(look(engine.daemon(), engine.name("none")));
  }

  TEST_CASE("prune removes what its filters leave, and nothing else") {
    engine_fixture engine;
    const std::string label = engine.name("pruned");
    const std::string image = labelled_image(engine, label);
    auto prune = [](engine::client daemon, std::string which) -> asio::awaitable<bool> {
      engine::image_prune_options options;
      options.all = true;
      options.filters = {{"label", {std::move(which)}}};
      diagnostics why;
      auto [code, gone] = co_await engine::async_image_prune(daemon, options, why, no_throw);
      // podman 4 contradicts itself when all are meant.
      if (code && engine_fixture::is_podman()) {
        CHECK(why.server_message().find("\"dangling\" filter") != std::string::npos);
        co_return false;
      }
      REQUIRE_MESSAGE(!code, describe(code, why));
      CHECK(gone.untagged.size() + gone.deleted.size() >= 1);
      co_return true;
    };
    const bool pruned = engine.run(prune(engine.daemon(), label));
    CHECK(engine.has_image(base_image()));
    if (!pruned) return;
    CHECK_FALSE(engine.has_image(image));
  }
}

TEST_SUITE("daemon/system") {
  TEST_CASE("info and disk usage") {
    engine_fixture engine;
    base_image();
    auto look = [](engine::client daemon) -> asio::awaitable<void> {
      const auto found = co_await engine::async_info(daemon);
      CHECK(found.os_type == "linux");
      CHECK_FALSE(found.server_version.empty());
      CHECK_FALSE(found.storage_driver.empty());
      CHECK_FALSE(found.root_dir.empty());
      CHECK(found.cpus > 0);
      CHECK(found.memory > 0);
      CHECK(found.images >= 1);
      CHECK(found.raw.starts_with("{"));
      // Somebody else may look at the same time, which dockerd forbids.
      diagnostics why;
      auto [code, used] = co_await engine::async_disk_usage(daemon, {}, why, no_throw);
      if (code == condition::conflict) co_return;
      REQUIRE_MESSAGE(!code, describe(code, why));
      CHECK_FALSE(used.images.empty());
      // podman tells tags without names there, and podman 4 no sum.
      if (engine_fixture::is_podman()) co_return;
      CHECK(std::ranges::any_of(used.images,
                                [](const auto& row) { return has_name(row.repo_tags, base_image()); }));
      CHECK(used.layers_size > 0);
    };
    engine.run(look(engine.daemon()));
  }

  TEST_CASE("events of the past, narrowed down, come to an end") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      const auto began = std::chrono::system_clock::now() - std::chrono::seconds(1);
      co_await engine::async_image_tag(daemon, base_image(), name);
      engine::events_options options;
      options.since = began;
      options.until = std::chrono::system_clock::now() + std::chrono::seconds(2);
      options.filters = {{"type", {"image"}}, {"event", {"tag"}}};
      std::vector<engine::daemon_event> seen;
      co_await engine::async_events(daemon, options,
                                    [&](const engine::daemon_event& event) { seen.push_back(event); });
      const auto ours = std::ranges::find_if(
          seen, [&](const auto& event) { return event.raw.find(name) != std::string::npos; });
      REQUIRE(ours != seen.end());
      CHECK(ours->type == "image");
      CHECK(ours->action == "tag");
      CHECK(ours->time >= began);
      CHECK_FALSE(ours->attributes.empty());
    };
    engine.run(look(engine.daemon(), engine.name("event")));
  }
}

}  // namespace dockline::daemon_test
