// Containers and what goes on in them, over a line that breaks: see broken_line.hpp.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/container_stats.hpp"
#include "dockline/engine/disk_usage.hpp"
#include "dockline/engine/events.hpp"
#include "dockline/engine/exec.hpp"

#include "daemon/broken_line.hpp"
#include "support/text_source.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace dockline::daemon_test {
namespace {

// A container that was never started, or runs until it is removed.
asio::awaitable<void> create(engine::client daemon, std::string name, std::vector<std::string> words,
                             bool starts) {
  engine::container_options options = probe_container(std::move(words));
  options.name = name;
  options.labels = {{name, "1"}};
  co_await engine::async_container_create(daemon, options);
  if (starts) co_await engine::async_container_start(daemon, name);
}

asio::awaitable<void> wait_for_end(engine::client daemon, std::string name) {
  co_await engine::async_container_wait(daemon, name);
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
        [](engine::client daemon) -> asio::awaitable<outcome> {
          engine::run_options options;
          options.container = probe_container({"say", "7", "to out", "to err"});
          options.remove = true;
          std::string out;
          engine::output_sink sink = [&](progress::output_stream stream, std::string_view bytes) {
            if (stream == progress::output_stream::out) out += bytes;
          };
          auto [code, ended] = co_await engine::async_run(daemon, options, sink, no_throw);
          if (code) co_return code;
          co_return std::to_string(ended.status);
        },
        8);
  }

  TEST_CASE("files out of a container: all of the tar, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("files");
    engine.run(create(engine.daemon(), name, {"exit", "0"}, false));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<outcome> {
          auto [refused, files] =
              co_await engine::async_container_archive_get(daemon, name, "/probe", no_throw);
          if (refused) co_return refused;
          std::string tar;
          try {
            tar = co_await read_all(files.tar);
          } catch (const boost::system::system_error& failure) {
            co_return failure.code();
          }
          co_return std::to_string(tar.size()) + ' ' + files.about.name;
        },
        12);
  }

  TEST_CASE("files into a container: they are there, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("filled");
    engine.run(create(engine.daemon(), name, {"exit", "0"}, false));
    const std::string tar = engine.run(tar_of_path(engine.daemon(), name, "/probe"));
    break_everywhere(
        [name, tar](engine::client daemon) -> asio::awaitable<outcome> {
          const auto source = std::make_shared<test::text_source>(daemon.get_executor(), tar);
          auto [refused] =
              co_await engine::async_container_archive_put(daemon, name, "/", source, {}, no_throw);
          if (refused) co_return refused;
          auto [missing, there] =
              co_await engine::async_container_path_stat(daemon, name, "/probe", no_throw);
          if (missing) co_return missing;
          co_return there.name + ' ' + std::to_string(there.size);
        },
        6);
  }

  TEST_CASE("what a container wrote: all of it, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("logged");
    engine.run(
        create(engine.daemon(), name, {"say", "7", std::string(2000, 'o'), std::string(2000, 'e')}, true));
    engine.run(wait_for_end(engine.daemon(), name));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<outcome> {
          std::string out, err;
          engine::output_sink sink = [&](progress::output_stream stream, std::string_view bytes) {
            (stream == progress::output_stream::err ? err : out) += bytes;
          };
          auto [code] = co_await engine::async_container_logs(daemon, name, {}, sink, no_throw);
          if (code) co_return code;
          co_return out + ' ' + err;
        },
        12);
  }

  TEST_CASE("lists, samples, events, disk usage, and a prune of nothing") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("watched");
    const auto began = std::chrono::system_clock::now() - std::chrono::seconds(2);
    engine.run(create(engine.daemon(), name, {"exit", "0"}, true));
    engine.run(wait_for_end(engine.daemon(), name));
    const auto until = std::chrono::system_clock::now();
    break_everywhere(
        [name, began, until](engine::client daemon) -> asio::awaitable<outcome> {
          engine::container_list_options own;
          own.all = true;
          own.filters = {{"label", {name}}};
          auto [unlisted, rows] = co_await engine::async_container_list(daemon, own, no_throw);
          if (unlisted) co_return unlisted;
          auto [missing, found] = co_await engine::async_container_inspect(daemon, name, no_throw);
          if (missing) co_return missing;
          engine::events_options past;
          past.filters = {{"container", {name}}, {"event", {"create", "start"}}};
          past.since = began;
          past.until = until;
          int events = 0;
          engine::daemon_event_sink count = [&](const engine::daemon_event&) { ++events; };
          auto [lost] = co_await engine::async_events(daemon, past, count, no_throw);
          if (lost) co_return lost;
          auto [refused, usage] = co_await engine::async_disk_usage(daemon, {}, no_throw);
          if (refused) co_return refused;
          engine::filter_map none = {{"label", {name + "-none"}}};
          auto [code, pruned] = co_await engine::async_container_prune(daemon, none, no_throw);
          if (code) co_return code;
          co_return std::to_string(rows.size()) + ' ' + found.status + ' ' + std::to_string(events) + ' ' +
              std::to_string(pruned.deleted.size());
        },
        14);
  }

  TEST_CASE("a program in a container that runs: its output and its status, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("host");
    engine.run(create(engine.daemon(), name, {"sleep", "600"}, true));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<outcome> {
          auto [gone] = co_await engine::async_container_kill(daemon, name, "WINCH", no_throw);
          if (gone) co_return gone;
          engine::exec_options options;
          options.cmd = {"/probe", "say", "7", "to out", "to err"};
          auto [refused, id] = co_await engine::async_exec_create(daemon, name, options, no_throw);
          if (refused) co_return refused;
          auto [lost, streams] = co_await engine::async_exec_start(daemon, id, false, no_throw);
          if (lost) co_return lost;
          std::string out, err;
          engine::output_sink sink = [&](progress::output_stream stream, std::string_view bytes) {
            (stream == progress::output_stream::err ? err : out) += bytes;
          };
          auto [cut] = co_await engine::async_attachment_run(streams, nullptr, sink, no_throw);
          if (cut) co_return cut;
          auto [missing, ended] = co_await engine::async_exec_inspect(daemon, id, no_throw);
          if (missing) co_return missing;
          // The streams of a hijacked connection have no length: where they were cut only the status tells.
          co_return std::to_string(ended.exit_code.value_or(-1));
        },
        10, false);
  }
}

}  // namespace dockline::daemon_test
