// Containers, but for what they read and write, over a line that breaks: see broken_line.hpp.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/disk_usage.hpp"
#include "dockline/engine/events.hpp"

#include "daemon/broken_line.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>

namespace dockline::daemon_test {
namespace {

asio::awaitable<void> run_to_end(engine::client daemon, engine::container_options options) {
  const std::string id = co_await start_container(daemon, std::move(options));
  co_await engine::async_container_wait(daemon, id);
}

// A file of a container, as a tar.
asio::awaitable<std::string> tar_of_path(engine::client daemon, std::string name, std::string path) {
  auto files = co_await engine::async_container_archive_get(daemon, name, path);
  co_return co_await read_all(files.tar);
}

asio::awaitable<std::string> path_in_container(engine::client daemon, std::string name, std::string path) {
  const auto there = co_await engine::async_container_path_stat(daemon, name, path);
  co_return there.name + ' ' + std::to_string(there.size);
}

asio::awaitable<void> put_tree(engine::client daemon, std::string name, archive::context_options what) {
  archive::build_context tree = co_await archive::async_open_context(daemon.get_executor(), what);
  std::shared_ptr<byte_source> tar = tree.pack();
  co_await engine::async_container_archive_put(daemon, name, "/", tar, {});
}

}  // namespace

TEST_SUITE("daemon/faults") {
  TEST_CASE("files out of a container: all of the tar, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("files");
    engine.run(create_container(engine.daemon(), probe_container({"exit", "0"}, name)));
    breaking how(12);
    how.endless = true;
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          const auto files = co_await engine::async_container_archive_get(daemon, name, "/probe");
          const std::string tar = co_await read_all(files.tar);
          co_return files.about.name + ' ' + tar;
        },
        how);
  }

  TEST_CASE("files into a container: they are there to the last byte, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("filled");
    engine.run(create_container(engine.daemon(), probe_container({"exit", "0"}, name)));
    // A path of its own for each attempt: an engine may still be unpacking what came of an earlier one.
    std::optional<scratch_tree> tree;
    std::string path;
    int number = 0;
    const std::string content(20'000, 'c');
    breaking how(6);
    // Unpacking takes as long as it does.
    how.endless = true;
    how.afterwards = [&](const attempted& it) {
      if (!it.succeeded || !it.was_asked_for()) return;
      const std::string there = engine.run(tar_of_path(engine.daemon(), name, path));
      CHECK(there.find(content) == 512);
    };
    break_everywhere(
        [&](engine::client daemon) -> asio::awaitable<std::string> {
          path = "/in" + std::to_string(1000 + ++number) + "/data";
          tree.emplace();
          tree->file("Dockerfile", "FROM scratch\n");
          tree->file(path.substr(1), content);
          archive::context_options wanted;
          wanted.directory = tree->root();
          co_await put_tree(daemon, name, wanted);
          co_return co_await path_in_container(daemon, name, path);
        },
        how);
  }

  TEST_CASE("lists, events and disk usage") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("watched");
    const auto began = std::chrono::system_clock::now() - std::chrono::seconds(2);
    engine.run(run_to_end(engine.daemon(), probe_container({"exit", "0"}, name)));
    const auto until = std::chrono::system_clock::now();
    breaking how(14);
    // Events are waited for.
    how.endless = true;
    break_everywhere(
        [name, began, until](engine::client daemon) -> asio::awaitable<std::string> {
          engine::container_list_options own;
          own.all = true;
          own.filters = {{"label", {name}}};
          const auto rows = co_await engine::async_container_list(daemon, own);
          const auto found = co_await engine::async_container_inspect(daemon, name);
          engine::events_options past;
          past.filters = {{"container", {name}}, {"event", {"create", "start"}}};
          past.since = began;
          past.until = until;
          int events = 0;
          engine::daemon_event_sink count = [&](const engine::daemon_event&) { ++events; };
          co_await engine::async_events(daemon, past, count);
          co_await engine::async_disk_usage(daemon, {});
          co_return std::to_string(rows.size()) + ' ' + found.status + ' ' + std::to_string(events);
        },
        how);
  }
}

}  // namespace dockline::daemon_test
