// What goes on in a container, on a real engine: lists, samples, programs and files.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/container_stats.hpp"
#include "dockline/engine/exec.hpp"

#include "daemon/daemon_helpers.hpp"
#include "support/text_source.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

#include <cstdio>

namespace dockline::daemon_test {
namespace {

// A container that sleeps, under a name of its own.
asio::awaitable<std::string> start_sleeper(engine::client daemon, std::string name) {
  return start_container(daemon, probe_container({"sleep", "120", name}, name));
}

// A tar of one small file.
std::string tar_of(const std::string& name, const std::string& text) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& field) { block.replace(at, field.size(), field); };
  put(0, name);
  put(100, "0000640");
  put(108, "0000000");
  put(116, "0000000");
  char size[12];
  std::snprintf(size, sizeof(size), "%011zo", text.size());
  put(124, size);
  put(136, "14000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  char checksum[8];
  std::snprintf(checksum, sizeof(checksum), "%06o", sum);
  put(148, std::string(checksum) + '\0');
  std::string body = text;
  body.resize((body.size() + 511) / 512 * 512, '\0');
  return block + body + std::string(1024, '\0');
}

}  // namespace

TEST_SUITE("daemon/inside") {
  TEST_CASE("a container that runs: list, inspect, samples") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      const std::string id = co_await start_sleeper(daemon, name);
      engine::container_list_options narrow;
      narrow.filters = {{"label", {name}}};
      const auto rows = co_await engine::async_container_list(daemon, narrow);
      REQUIRE(rows.size() == 1);
      CHECK(rows[0].id == id);
      CHECK(rows[0].names.at(0).find(name) != std::string::npos);
      CHECK(rows[0].state == "running");
      CHECK(rows[0].labels.at(name) == "1");
      CHECK(rows[0].created > 1'700'000'000);

      const auto found = co_await engine::async_container_inspect(daemon, name);
      CHECK(found.id == id);
      CHECK(found.running);
      CHECK(found.pid > 0);
      CHECK(found.status == "running");
      CHECK_FALSE(found.tty);
      CHECK(found.path == "/probe");
      CHECK(found.raw.find(id) != std::string::npos);

      engine::stats_options once;
      once.stream = false;
      std::vector<engine::container_stats> samples;
      engine::stats_sink take = [&](const engine::container_stats& one) { samples.push_back(one); };
      // A dockerd whose machine is busy may tell one with nothing in it: it had none in time.
      for (int i = 0; i < 5 && (samples.empty() || !samples[0].read.starts_with("20")); ++i) {
        samples.clear();
        co_await engine::async_container_stats(daemon, id, once, take);
        REQUIRE(samples.size() == 1);
      }
      // None at all: it cannot read the cgroups of its host ("no metrics received" in its log).
      if (samples[0].read.starts_with("0001")) {
        MESSAGE("this daemon has no samples of its containers");
        co_return;
      }
      CHECK(samples[0].online_cpus > 0);
      CHECK(samples[0].read.starts_with("20"));
    };
    engine.run(look(engine.daemon(), engine.name("sleeper")));
  }

  TEST_CASE("samples come until the stream is cancelled") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      const std::string id = co_await start_sleeper(daemon, name);
      asio::cancellation_signal stop;
      int count = 0;
      engine::stats_sink sink = [&](const engine::container_stats&) {
        if (++count == 2) stop.emit(asio::cancellation_type::terminal);
      };
      auto [code] = co_await engine::async_container_stats(
          daemon, id, {}, std::move(sink), asio::bind_cancellation_slot(stop.slot(), no_throw));
      CHECK(code == condition::cancelled);
      CHECK(count == 2);
    };
    engine.run(look(engine.daemon(), engine.name("sampled")));
  }

  TEST_CASE("exec: streams, status, input, environment") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name,
                   std::shared_ptr<byte_source> input) -> asio::awaitable<void> {
      const std::string id = co_await start_sleeper(daemon, name);
      engine::exec_options options;
      options.cmd = {"/probe", "say", "7", "to out", "to err"};
      auto seen = co_await run_exec(daemon, id, options);
      CHECK(seen.out == "to out");
      CHECK(seen.err == "to err");
      CHECK(seen.exit_code == 7);

      options.cmd = {"/probe", "env", "A"};
      options.env = {"A=b"};
      seen = co_await run_exec(daemon, id, options);
      CHECK(seen.out == "A=b\n");
      CHECK(seen.exit_code == 0);

      options.cmd = {"/probe", "cat"};
      options.in = true;
      seen = co_await run_exec(daemon, id, options, input);
      CHECK(seen.out == "some input");
      CHECK(seen.err == "end of input\n");
      CHECK(seen.exit_code == 0);

      diagnostics why;
      auto [code, none] = co_await engine::async_exec_create(daemon, name + "-none", options, why, no_throw);
      CHECK(code == condition::not_found);
    };
    engine.run(look(engine.daemon(), engine.name("exec"),
                    std::make_shared<test::text_source>(engine.loop().get_executor(), "some input")));
  }

  TEST_CASE("exec: detached, it runs by itself") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name, std::string mark) -> asio::awaitable<void> {
      const std::string id = co_await start_sleeper(daemon, name);
      engine::exec_options options;
      options.cmd = {"/probe", "sleep", "60", mark};
      options.out = options.err = false;
      const std::string exec = co_await engine::async_exec_create(daemon, id, options);
      co_await engine::async_exec_start_detached(daemon, exec);
      const bool runs = co_await comes_to(1, mark, std::chrono::seconds(10));
      CHECK(runs);
      const auto about = co_await engine::async_exec_inspect(daemon, exec);
      CHECK(about.running);
      CHECK_FALSE(about.exit_code.has_value());
    };
    engine.run(look(engine.daemon(), engine.name("detached"), engine.name("mark")));
  }

  TEST_CASE("files go in and out, and what is not there is not found") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::shared_ptr<byte_source> tar) -> asio::awaitable<void> {
      auto options = probe_container({"exit", "0"});
      auto made = co_await engine::async_container_create(daemon, std::move(options));
      const std::string id = made.id;
      co_await engine::async_container_archive_put(daemon, id, "/", tar, {});
      const auto about = co_await engine::async_container_path_stat(daemon, id, "/put.txt");
      CHECK(about.name == "put.txt");
      CHECK(about.type == engine::container_path_type::file);
      CHECK(about.permissions == 0640);
      CHECK(about.size == 5);
      CHECK(about.modified.starts_with("20"));
      const auto root = co_await engine::async_container_path_stat(daemon, id, "/");
      CHECK(root.type == engine::container_path_type::directory);

      auto archive = co_await engine::async_container_archive_get(daemon, id, "/put.txt");
      CHECK(archive.about.size == 5);
      const std::string bytes = co_await read_all(archive.tar);
      CHECK(bytes.starts_with("put.txt"));
      CHECK(bytes.find("hello") != std::string::npos);

      diagnostics why;
      auto [code, none] = co_await engine::async_container_path_stat(daemon, id, "/none", why, no_throw);
      CHECK(code == condition::not_found);
      auto [gone, nothing] = co_await engine::async_container_archive_get(daemon, id, "/none", why, no_throw);
      CHECK(gone == condition::not_found);
      co_await engine::async_container_remove(daemon, id, {});
    };
    engine.run(look(engine.daemon(), std::make_shared<test::text_source>(engine.loop().get_executor(),
                                                                         tar_of("put.txt", "hello"))));
  }

  TEST_CASE("prune removes containers that ended, as far as the filters go") {
    engine_fixture engine;
    auto look = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      auto options = probe_container({"exit", "0"});
      options.labels = {{name, "1"}};
      auto made = co_await engine::async_container_create(daemon, std::move(options));
      co_await engine::async_container_start(daemon, made.id);
      co_await engine::async_container_wait(daemon, made.id);
      engine::filter_map narrow = {{"label", {name}}};
      const auto gone = co_await engine::async_container_prune(daemon, narrow);
      REQUIRE(gone.deleted.size() == 1);
      CHECK(gone.deleted[0] == made.id);
      auto [code, found] = co_await engine::async_container_inspect(daemon, made.id, no_throw);
      CHECK(code == condition::not_found);
    };
    engine.run(look(engine.daemon(), engine.name("prune")));
  }
}

}  // namespace dockline::daemon_test
