// Images, over a line that breaks: see broken_line.hpp.

#include "dockline/engine/distribution.hpp"
#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_list.hpp"
#include "dockline/engine/image_transfer.hpp"

#include "daemon/broken_line.hpp"
#include "support/text_source.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace dockline::daemon_test {
namespace {

asio::awaitable<std::string> tar_of_image(engine::client daemon, std::string name) {
  std::vector<std::string> names(1, name);
  auto source = co_await engine::async_image_save(daemon, names, {});
  co_return co_await read_all(source);
}

asio::awaitable<void> build_tree_as(engine::client daemon, archive::context_options what, std::string name) {
  what.mode = archive::ignore_mode::classic;
  archive::build_context tree = co_await archive::async_open_context(daemon.get_executor(), what);
  engine::build_options options;
  options.tags = {name};
  options.dockerfile = tree.dockerfile_name();
  std::shared_ptr<byte_source> source = tree.pack();
  progress::event_sink ignore = [](const progress::event&) {};
  co_await engine::async_build(daemon, source, options, ignore);
}

}  // namespace

TEST_SUITE("daemon/faults") {
  TEST_CASE("questions: the version, an image, its history, the list") {
    const std::string image = base_image();
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
        breaking(16));
  }

  TEST_CASE("an image that is saved: all of the tar, or an error") {
    const std::string image = base_image();
    std::ifstream file(probe_path(), std::ios::binary);
    const std::string program((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    breaking how(12);
    how.endless = true;
    break_everywhere(
        [&](engine::client daemon) -> asio::awaitable<std::string> {
          const std::string tar = co_await tar_of_image(daemon, image);
          // An engine gives the same archive other times; its one file is what it is.
          co_return std::to_string(tar.size()) + (tar.find(program) != tar.npos ? " with the program" : "");
        },
        how);
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
        breaking(10));
    CHECK(engine.has_image(base_image()));
  }

  TEST_CASE("an image that is loaded: it is what was saved, or an error") {
    engine_fixture engine;
    const std::string name = engine.name("loaded");
    changing_tree tree("FROM " + base_image() + "\nCOPY in /in\n");
    tree.change();
    engine.run(build_tree_as(engine.daemon(), tree.options(), name));
    const std::string tar = engine.run(tar_of_image(engine.daemon(), name));
    forget_image(engine, name);
    breaking how(6);
    how.endless = true;
    how.afterwards = [&](const attempted& it) { check_image(engine, it, name, tree.content()); };
    break_everywhere(
        [tar](engine::client daemon) -> asio::awaitable<std::string> {
          const auto source = std::make_shared<test::text_source>(daemon.get_executor(), tar);
          const auto loaded = co_await engine::async_image_load(daemon, source, {}, {});
          co_return loaded.references.at(0);
        },
        how);
  }

  TEST_CASE("a tar that becomes an image: with these files, or an error") {
    engine_fixture engine;
    const std::string name = engine.name("imported");
    changing_tree tree("FROM scratch\n");
    const auto tag = [&] { return name + ":" + std::to_string(tree.number()); };
    breaking how(6);
    how.endless = true;
    how.afterwards = [&](const attempted& it) { check_image(engine, it, tag(), tree.content()); };
    break_everywhere(
        [&](engine::client daemon) -> asio::awaitable<std::string> {
          tree.change();
          archive::build_context files =
              co_await archive::async_open_context(daemon.get_executor(), tree.options());
          std::shared_ptr<byte_source> source = files.pack();
          engine::image_import_options options;
          options.reference = tag();
          options.changes = {"LABEL " + name + "=1"};
          // Its files are compared afterwards; podman counts what it writes about them, and its times, as size.
          co_await engine::async_image_import(daemon, source, options, {});
          co_return "imported";
        },
        how);
    // What was made before its line broke.
    forget_labelled(engine, name);
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
    give_name(engine, base_image(), name);
    breaking how(6);
    how.endless = true;
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          const auto pushed = co_await engine::async_image_push(daemon, name, {}, {});
          const std::string digest = pushed.tags.at(0).digest;
          const auto pulled = co_await engine::async_image_pull(daemon, name, {}, {});
          if (engine_fixture::is_podman()) co_return digest + ' ' + pulled.id;
          const auto told = co_await engine::async_distribution_inspect(daemon, name, {});
          co_return digest + ' ' + pulled.id + ' ' + told.digest;
        },
        how);
  }
}

}  // namespace dockline::daemon_test
