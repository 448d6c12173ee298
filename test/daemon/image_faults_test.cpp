// Images, over a line that breaks: see broken_line.hpp.

#include "dockline/engine/distribution.hpp"
#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_list.hpp"
#include "dockline/engine/image_transfer.hpp"

#include "daemon/broken_line.hpp"
#include "support/entries_of.hpp"
#include "support/text_source.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

namespace dockline::daemon_test {
namespace {

asio::awaitable<std::string> tar_of_image(engine::client daemon, std::string name) {
  std::vector<std::string> names(1, name);
  auto source = co_await engine::async_image_save(daemon, names, {});
  co_return co_await read_all(source);
}

asio::awaitable<void> give_name(engine::client daemon, std::string image, std::string name) {
  co_await engine::async_image_tag(daemon, image, name);
}

asio::awaitable<void> prune_label(engine::client daemon, std::string label) {
  engine::image_prune_options own;
  own.all = true;
  own.filters = {{"label", {label}}};
  co_await engine::async_image_prune(daemon, own);
}

}  // namespace

TEST_SUITE("daemon/faults") {
  TEST_CASE("questions: the version, an image, its history, the list") {
    const std::string image = base_image();
    const std::size_t before = test::entries_of("/proc/self/fd");
    break_everywhere(
        [image](engine::client daemon) -> asio::awaitable<std::string> {
          const auto version = co_await engine::async_version(daemon);
          const auto about = co_await engine::async_info(daemon);
          const auto found = co_await engine::async_image_inspect(daemon, image);
          const auto layers = co_await engine::async_image_history(daemon, image);
          engine::image_list_options options;
          options.filters = {{"reference", {image}}};
          const auto rows = co_await engine::async_image_list(daemon, options);
          co_return version.version + ' ' + about.name + ' ' + found.raw + ' ' +
              std::to_string(layers.size()) + ' ' + std::to_string(rows.size());
        },
        16);
    CHECK(test::entries_of("/proc/self/fd") <= before);
  }

  TEST_CASE("an image that is saved: all of the tar, or an error") {
    const std::string image = base_image();
    break_everywhere(
        [image](engine::client daemon) -> asio::awaitable<std::string> {
          const std::string tar = co_await tar_of_image(daemon, image);
          // Podman gives the same archive other times.
          co_return std::to_string(tar.size());
        },
        12);
  }

  TEST_CASE("an image gets a name and loses it") {
    engine_fixture engine;
    const std::string name = engine.name("renamed");
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          co_await engine::async_image_tag(daemon, base_image(), name);
          const auto gone = co_await engine::async_image_remove(daemon, name, {});
          co_return std::to_string(gone.untagged.size()) + ' ' + std::to_string(gone.deleted.size());
        },
        10);
    CHECK(engine.has_image(base_image()));
  }

  TEST_CASE("an image that is loaded: its name, or an error") {
    engine_fixture engine;
    const std::string tar = engine.run(tar_of_image(engine.daemon(), base_image()));
    break_everywhere(
        [tar](engine::client daemon) -> asio::awaitable<std::string> {
          const auto source = std::make_shared<test::text_source>(daemon.get_executor(), tar);
          const auto loaded = co_await engine::async_image_load(daemon, source, {}, {});
          co_return std::to_string(loaded.references.size());
        },
        6);
    CHECK(engine.has_image(base_image()));
  }

  TEST_CASE("a tar that becomes an image, and a prune of nothing") {
    engine_fixture engine;
    const std::string name = engine.name("imported");
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          // An archive without entries.
          const auto source =
              std::make_shared<test::text_source>(daemon.get_executor(), std::string(10'240, '\0'));
          engine::image_import_options options;
          options.reference = name;
          options.changes = {"LABEL " + name + "=1"};
          const auto id = co_await engine::async_image_import(daemon, source, options, {});
          engine::image_remove_options forced;
          forced.force = true;
          const auto gone = co_await engine::async_image_remove(daemon, id, forced);
          engine::image_prune_options none;
          none.filters = {{"label", {name + "-none"}}};
          const auto pruned = co_await engine::async_image_prune(daemon, none);
          co_return std::to_string(pruned.deleted.size());
        },
        10);
    // What was made before its line broke.
    engine.run(prune_label(engine.daemon(), name));
  }

  TEST_CASE("an image to a registry and back: its digest, or an error") {
    const char* registry = std::getenv("DOCKLINE_TEST_REGISTRY");
    if (registry == nullptr) {
      MESSAGE("skipped: DOCKLINE_TEST_REGISTRY is not set");
      return;
    }
    engine_fixture engine;
    const std::string name = std::string(registry) + "/" + engine.name("carried") + ":1";
    engine.remember(name);
    engine.run(give_name(engine.daemon(), base_image(), name));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          const auto pushed = co_await engine::async_image_push(daemon, name, {}, {});
          const std::string digest = pushed.tags.at(0).digest;
          const auto pulled = co_await engine::async_image_pull(daemon, name, {}, {});
          if (engine_fixture::is_podman()) co_return digest + ' ' + pulled.id;
          const auto told = co_await engine::async_distribution_inspect(daemon, name, {});
          co_return digest + ' ' + pulled.id + ' ' + told.digest;
        },
        10);
  }
}

}  // namespace dockline::daemon_test
