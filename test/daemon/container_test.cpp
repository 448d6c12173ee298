// Containers, images and the daemon itself, on a real engine.

#include "daemon/daemon_helpers.hpp"
#include "support/text_source.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace dockline::daemon_test {
namespace {

int open_sockets() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry.path(), ignored).string().starts_with("socket:")) ++count;
  }
  return count;
}

}  // namespace

TEST_SUITE("daemon/system") {
  TEST_CASE("ping and version agree with each other") {
    engine_fixture engine;
    auto ask = [](engine::client daemon) -> asio::awaitable<void> {
      const auto pong = co_await engine::async_ping(daemon);
      const auto found = co_await engine::async_version(daemon);
      // podman 4 does not say.
      CHECK((pong.os_type == "linux" || (pong.os_type.empty() && engine_fixture::is_podman())));
      CHECK(found.os == "linux");
      CHECK_FALSE(found.version.empty());
      CHECK_FALSE(found.arch.empty());
      CHECK_FALSE(found.go_version.empty());
      CHECK(found.api_version == pong.api_version);
      CHECK(pong.negotiated_version.starts_with("1."));
    };
    engine.run(ask(engine.daemon()));
  }

  TEST_CASE("a version that the daemon does not speak is told in its own words") {
    engine_fixture engine;
    if (engine.is_podman()) return;  // takes any version
    engine::client_options options;
    options.host = std::getenv("DOCKLINE_TEST_DOCKER_HOST");
    options.api_version = "1.99";
    const engine::client daemon(engine.loop().get_executor(), options);
    auto ask = [](engine::client from) -> asio::awaitable<void> {
      diagnostics why;
      auto [code, found] = co_await engine::async_version(from, why, no_throw);
      CHECK(code == errc::bad_request);
      CHECK(why.server_message().find("1.99 is too new") != std::string::npos);
    };
    engine.run(ask(daemon));
  }

  TEST_CASE("requests one after the other share a connection") {
    engine_fixture engine;
    auto ask = [](engine::client daemon) -> asio::awaitable<void> {
      const int before = open_sockets();
      for (int i = 0; i < 10; ++i) {
        co_await engine::async_version(daemon);
        CHECK(open_sockets() == before + 1);
      }
      // Answers with an error leave the connection as it is.
      auto [code, found] = co_await engine::async_image_inspect(daemon, "dockline-test-none", no_throw);
      CHECK(code == errc::not_found);
      co_await engine::async_ping(daemon);
      CHECK(open_sockets() == before + 1);
    };
    engine.run(ask(engine.daemon()));
  }

  TEST_CASE("what is not there is not found") {
    engine_fixture engine;
    auto ask = [](engine::client daemon, std::string none) -> asio::awaitable<void> {
      diagnostics why;
      {
        auto [code, found] = co_await engine::async_image_inspect(daemon, none, why, no_throw);
        CHECK(code == condition::not_found);
        CHECK(why.server_message().find(none) != std::string::npos);
      }
      {
        auto [code, gone] = co_await engine::async_image_remove(daemon, none, {}, why, no_throw);
        CHECK(code == condition::not_found);
      }
      {
        engine::container_options options;
        options.image = none;
        auto [code, made] =
            co_await engine::async_container_create(daemon, std::move(options), why, no_throw);
        CHECK(code == condition::not_found);
        CHECK_FALSE(why.server_message().empty());
      }
      {
        auto [code] = co_await engine::async_container_start(daemon, none, why, no_throw);
        CHECK(code == condition::not_found);
      }
      {
        auto [code, ended] = co_await engine::async_container_wait(daemon, none, why, no_throw);
        CHECK(code == condition::not_found);
      }
      {
        auto [code] = co_await engine::async_container_logs(daemon, none, {}, nullptr, why, no_throw);
        CHECK(code == condition::not_found);
      }
      {
        auto [code, streams] = co_await engine::async_container_attach(daemon, none, {}, why, no_throw);
        CHECK(code == condition::not_found);
      }
      {
        auto [code] = co_await engine::async_container_kill(daemon, none, "KILL", why, no_throw);
        CHECK(code == condition::not_found);
      }
      {
        auto [code] = co_await engine::async_container_remove(daemon, none, {}, why, no_throw);
        CHECK(code == condition::not_found);
      }
    };
    engine.run(ask(engine.daemon(), engine.name("none")));
  }
}

TEST_SUITE("daemon/containers") {
  TEST_CASE("run: status, standard output and standard error, each by itself") {
    engine_fixture engine;
    const output seen =
        engine.run_probe(base_image(), {"say", "3", "to out\n\x01\xc3\xa4", "to err, no newline"});
    REQUIRE_MESSAGE(!seen.code, describe(seen.code, seen.why));
    CHECK(seen.status == 3);
    CHECK(seen.out == "to out\n\x01\xc3\xa4");
    CHECK(seen.err == "to err, no newline");
    CHECK(engine.run_probe(base_image(), {"exit", "0"}).status == 0);
    CHECK(engine.run_probe(base_image(), {"exit", "255"}).status == 255);
  }

  TEST_CASE("run: a lot of output, all of it") {
    engine_fixture engine;
    const output seen = engine.run_probe(base_image(), {"pour", "5000000"});
    CHECK_FALSE(seen.code);
    REQUIRE(seen.out.size() == 5'000'000);
    CHECK(seen.out.starts_with("0fedcba987654321"));
  }

  TEST_CASE("run: standard input arrives, ends, and what is written after it is read") {
    engine_fixture engine;
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{1} << 20}) {
      engine::run_options options;
      options.container = probe_container({"cat"});
      options.input =
          std::make_shared<test::text_source>(engine.loop().get_executor(), std::string(size, 'i'));
      const output seen = engine.run_container(std::move(options));
      REQUIRE_MESSAGE(!seen.code, describe(seen.code, seen.why));
      CHECK(seen.status == 0);
      CHECK(seen.out == std::string(size, 'i'));
      CHECK(seen.err == "end of input\n");
    }
  }

  TEST_CASE("run: a command that does not read its input is no failure") {
    engine_fixture engine;
    engine::run_options options;
    options.container = probe_container({"exit", "4"});
    options.input =
        std::make_shared<test::text_source>(engine.loop().get_executor(), std::string(4 << 20, 'i'));
    const output seen = engine.run_container(std::move(options));
    CHECK_MESSAGE(!seen.code, describe(seen.code, seen.why));
    CHECK(seen.status == 4);
  }

  TEST_CASE("run: without a terminal's two streams there is one") {
    engine_fixture engine;
    engine::run_options options;
    options.container = probe_container({"say", "0", "out ", "err"});
    options.container.tty = true;
    const output seen = engine.run_container(std::move(options));
    CHECK_MESSAGE(!seen.code, describe(seen.code, seen.why));
    CHECK(seen.out == "out err");
    CHECK(seen.err == "");
  }

  TEST_CASE("run: environment, name, working directory; the container is gone afterwards") {
    engine_fixture engine;
    engine::run_options options;
    options.container = probe_container({"env", "A", "EMPTY", "NOT"});
    options.container.env = {"A=b c=d", "EMPTY="};
    options.container.name = engine.name("named");
    const std::string name = options.container.name;
    const output seen = engine.run_container(std::move(options));
    CHECK_FALSE(seen.code);
    CHECK(seen.out == "A=b c=d\nEMPTY=\nNOT=(unset)\n");
    auto look = [](engine::client daemon, std::string which) -> asio::awaitable<error_code> {
      auto [code] = co_await engine::async_container_remove(daemon, std::move(which), {}, no_throw);
      co_return code;
    };
    CHECK(engine.run(look(engine.daemon(), name)) == condition::not_found);
  }

  TEST_CASE("run: a command that is not there, and a missing image") {
    engine_fixture engine;
    engine::run_options options;
    options.container.image = base_image();
    options.container.entrypoint = {{"/nowhere"}};
    options.container.name = engine.name("nowhere");
    const std::string name = options.container.name;
    const output seen = engine.run_container(std::move(options));
    REQUIRE(seen.code);
    // podman 4 notices while it is attached to.
    CHECK((seen.code == errc::bad_request || seen.code == condition::not_found ||
           seen.code == condition::service_failed ||
           (seen.code == condition::conflict && engine_fixture::is_podman())));
    CHECK(seen.why.server_message().find("/nowhere") != std::string::npos);
    auto look = [](engine::client daemon, std::string which) -> asio::awaitable<error_code> {
      auto [code] = co_await engine::async_container_remove(daemon, std::move(which), {}, no_throw);
      co_return code;
    };
    CHECK(engine.run(look(engine.daemon(), name)) == condition::not_found);
  }

  TEST_CASE("run: cancelled, the container is killed and removed before it completes") {
    engine_fixture engine;
    auto cancelled = [](engine::client daemon, std::string mark) -> asio::awaitable<void> {
      engine::run_options options;
      options.container = probe_container({"sleep", "120", mark});
      options.container.name = mark;
      options.remove = true;
      asio::cancellation_signal stop;
      diagnostics why;
      auto [code, done] = co_await engine::async_run(
          daemon, std::move(options),
          [&stop](progress::output_stream, std::string_view) {
            stop.emit(asio::cancellation_type::terminal);
          },
          why, asio::bind_cancellation_slot(stop.slot(), no_throw));
      CHECK(code == condition::cancelled);
      CHECK(processes_with(mark) == 0);
      auto [gone] = co_await engine::async_container_remove(daemon, mark, {}, no_throw);
      CHECK(gone == condition::not_found);
    };
    engine.run(cancelled(engine.daemon(), engine.name("run-cancelled")));
  }

  TEST_CASE("create, start, wait, logs, kill, remove") {
    engine_fixture engine;
    auto life = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      engine::container_options options = probe_container({"say", "5", "one\ntwo\n", "three\n"});
      options.name = name;
      const std::string id = co_await create_container(daemon, std::move(options));
      CHECK(id.size() == 64);
      co_await engine::async_container_start(daemon, id);
      CHECK((co_await engine::async_container_wait(daemon, id)).status == 5);
      // One that ended already is answered at once, by name as well.
      CHECK((co_await engine::async_container_wait(daemon, name)).status == 5);
      heard all;
      engine::output_sink keep = all.sink();
      co_await engine::async_container_logs(daemon, id, {}, keep);
      CHECK(all.out == "one\ntwo\n");
      CHECK(all.err == "three\n");
      all.out.clear();
      engine::logs_options tail;
      tail.err = false;
      co_await engine::async_container_logs(daemon, id, tail, keep);
      CHECK(all.out == "one\ntwo\n");
      all.out.clear();
      all.err.clear();
      // Counted over both streams.
      tail.err = true;
      tail.tail = "1";
      co_await engine::async_container_logs(daemon, id, tail, keep);
      CHECK(all.out.size() + all.err.size() < 7);
      CHECK(all.out.size() + all.err.size() > 3);
      all.out.clear();
      tail.tail = "3";
      tail.timestamps = true;
      tail.follow = true;
      co_await engine::async_container_logs(daemon, id, tail, keep);
      CHECK(all.out.find("Z two\n") != std::string::npos);
      auto [code] = co_await engine::async_container_kill(daemon, id, "KILL", no_throw);
      // podman 4 has no status of its own for it.
      CHECK((code == condition::conflict ||
             (code == condition::service_failed && engine_fixture::is_podman())));
      co_await engine::async_container_remove(daemon, id, {});
      auto [gone] = co_await engine::async_container_remove(daemon, id, {}, no_throw);
      CHECK(gone == condition::not_found);
    };
    engine.run(life(engine.daemon(), engine.name("life")));
  }

  TEST_CASE("a running container: conflicts, a followed log, a signal") {
    engine_fixture engine;
    auto life = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      engine::container_options options = probe_container({"sleep", "120", name});
      options.name = name;
      const std::string id = co_await create_container(daemon, options);
      {
        // podman answers with 500 to a name that is taken.
        auto [code, made] = co_await engine::async_container_create(daemon, options, no_throw);
        CHECK((code == condition::conflict || (engine_fixture::is_podman() && code)));
      }
      co_await engine::async_container_start(daemon, id);
      // Once more is no error.
      co_await engine::async_container_start(daemon, id);
      diagnostics why;
      {
        auto [code] = co_await engine::async_container_remove(daemon, id, {}, why, no_throw);
        CHECK_MESSAGE((code == condition::conflict || (engine_fixture::is_podman() && code)),
                      describe(code, why));
      }
      {
        auto [code, gone] = co_await engine::async_image_remove(daemon, base_image(), {}, why, no_throw);
        CHECK_MESSAGE(code == condition::conflict, describe(code, why));
      }
      // The signal is sent once the log, which is followed, has shown that the program runs.
      std::string out;
      engine::logs_options follow;
      follow.follow = true;
      engine::output_sink interrupt = [&](progress::output_stream, std::string_view bytes) {
        out += bytes;
        engine::async_container_kill(daemon, id, "SIGINT", asio::detached);
      };
      co_await engine::async_container_logs(daemon, id, follow, interrupt);
      CHECK(out == "asleep\n");
      CHECK((co_await engine::async_container_wait(daemon, id)).status == 42);
      co_await engine::async_container_remove(daemon, id, {});
    };
    engine.run(life(engine.daemon(), engine.name("running")));
  }

  TEST_CASE("a wait that is cancelled leaves the container running, and the client usable") {
    engine_fixture engine;
    auto life = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      engine::container_options options = probe_container({"sleep", "120", name});
      options.name = name;
      const std::string id = co_await create_container(daemon, options);
      co_await engine::async_container_start(daemon, id);
      asio::cancellation_signal stop;
      asio::post(daemon.get_executor(), [&stop] { stop.emit(asio::cancellation_type::total); });
      auto [code, ended] = co_await engine::async_container_wait(
          daemon, id, asio::bind_cancellation_slot(stop.slot(), no_throw));
      CHECK(code == condition::cancelled);
      CHECK(co_await comes_to(1, name, std::chrono::seconds(10)));
      engine::remove_options force;
      force.force = true;
      co_await engine::async_container_remove(daemon, id, force);
      CHECK(co_await comes_to(0, name, std::chrono::seconds(10)));
    };
    engine.run(life(engine.daemon(), engine.name("waited")));
  }
}

}  // namespace dockline::daemon_test
