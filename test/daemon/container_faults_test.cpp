// Containers and what goes on in them, over a line that breaks: see broken_line.hpp.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/disk_usage.hpp"
#include "dockline/engine/events.hpp"

#include "daemon/broken_line.hpp"
#include "support/text_source.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace dockline::daemon_test {
namespace {

asio::awaitable<void> run_to_end(engine::client daemon, engine::container_options options) {
  const std::string id = co_await start_container(daemon, std::move(options));
  co_await engine::async_container_wait(daemon, id);
}

asio::awaitable<std::string> tar_of_path(engine::client daemon, std::string name, std::string path) {
  auto files = co_await engine::async_container_archive_get(daemon, name, path);
  co_return co_await read_all(files.tar);
}

}  // namespace

TEST_SUITE("daemon/faults") {
  TEST_CASE("a container from its creation to its removal") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    break_everywhere(
        [](engine::client daemon) -> asio::awaitable<std::string> {
          engine::run_options options;
          options.container = probe_container({"say", "7", "to out", "to err"});
          options.remove = true;
          heard all;
          engine::output_sink sink = all.sink();
          const auto ended = co_await engine::async_run(daemon, options, sink);
          co_return std::to_string(ended.status);
        },
        8);
  }

  TEST_CASE("files out of a container: all of the tar, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("files");
    engine.run(create_container(engine.daemon(), probe_container({"exit", "0"}, name)));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          const auto files = co_await engine::async_container_archive_get(daemon, name, "/probe");
          const std::string tar = co_await read_all(files.tar);
          co_return std::to_string(tar.size()) + ' ' + files.about.name;
        },
        12);
  }

  TEST_CASE("files into a container: they are there, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("filled");
    engine.run(create_container(engine.daemon(), probe_container({"exit", "0"}, name)));
    const std::string tar = engine.run(tar_of_path(engine.daemon(), name, "/probe"));
    break_everywhere(
        [name, tar](engine::client daemon) -> asio::awaitable<std::string> {
          const auto source = std::make_shared<test::text_source>(daemon.get_executor(), tar);
          co_await engine::async_container_archive_put(daemon, name, "/", source, {});
          const auto there = co_await engine::async_container_path_stat(daemon, name, "/probe");
          co_return there.name + ' ' + std::to_string(there.size);
        },
        6);
  }

  TEST_CASE("what a container wrote: all of it, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("logged");
    engine.run(
        run_to_end(engine.daemon(),
                   probe_container({"say", "7", std::string(2000, 'o'), std::string(2000, 'e')}, name)));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          heard all;
          engine::output_sink sink = all.sink();
          co_await engine::async_container_logs(daemon, name, {}, sink);
          co_return all.out + ' ' + all.err;
        },
        12);
  }

  TEST_CASE("lists, events, disk usage, and a prune of nothing") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("watched");
    const auto began = std::chrono::system_clock::now() - std::chrono::seconds(2);
    engine.run(run_to_end(engine.daemon(), probe_container({"exit", "0"}, name)));
    const auto until = std::chrono::system_clock::now();
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
          engine::filter_map none = {{"label", {name + "-none"}}};
          const auto pruned = co_await engine::async_container_prune(daemon, none);
          co_return std::to_string(rows.size()) + ' ' + found.status + ' ' + std::to_string(events) + ' ' +
              std::to_string(pruned.deleted.size());
        },
        14);
  }

  TEST_CASE("a program in a container that runs: its output and its status, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("host");
    engine.run(start_container(engine.daemon(), probe_container({"sleep", "600"}, name)));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          co_await engine::async_container_kill(daemon, name, "WINCH");
          engine::exec_options options;
          options.cmd = {"/probe", "say", "7", "to out", "to err"};
          const heard ended = co_await run_exec(daemon, name, options);
          // The streams of a hijacked connection have no length: where they were cut only the status tells.
          co_return std::to_string(ended.exit_code.value_or(-1));
        },
        10, false);
  }
}

}  // namespace dockline::daemon_test
