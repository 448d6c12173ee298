// Answers that go on: events, samples, the tar of a container's files; and what is special about a HEAD and
// an exec.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_stats.hpp"
#include "dockline/engine/events.hpp"
#include "dockline/engine/exec.hpp"

#include "exchange/conversation.hpp"
#include "exchange/local_building.hpp"

#include <cmath>
#include <vector>

namespace dockline::test {
namespace {

const std::string start_event =
    R"({"status":"start","id":"c1","Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":)"
    R"({"image":"app:1","name":"web"}},"scope":"local","time":1700000000,"timeNano":1700000000000000123})";
const std::string pull_event =
    R"({"Type":"image","Action":"pull","Actor":{"ID":"app:1","Attributes":null},"time":1700000001})";

// {"name":"etc","size":4096,"mode":2147484141,"mtime":"2026-01-02T03:04:05Z","linkTarget":""}
const std::string directory_stat =
    "X-Docker-Container-Path-Stat: "
    "eyJuYW1lIjoiZXRjIiwic2l6ZSI6NDA5NiwibW9kZSI6MjE0NzQ4NDE0MSwibXRpbWUiOiIyMDI2LTAxLTAyVDAzOjA0OjA1WiIsImxp"
    "bmtUYXJnZXQiOiIifQ==\r\n";

struct streaming : conversation {
  using conversation::conversation;

  auto begin_events(engine::daemon_event_sink sink, engine::events_options options = {}) {
    return begin<nothing>([&](diagnostics& why, auto token) {
      engine::async_events(daemon, options, std::move(sink), why, std::move(token));
    });
  }
  outcome<nothing> events(engine::daemon_event_sink sink, engine::events_options options = {}) {
    auto seen = begin_events(std::move(sink), std::move(options));
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }
  outcome<engine::container_archive> get() {
    return operation<engine::container_archive>([&](diagnostics& why, auto token) {
      engine::async_container_archive_get(daemon, "c1", "/etc", why, std::move(token));
    });
  }
  outcome<engine::container_path> stat() {
    return operation<engine::container_path>([&](diagnostics& why, auto token) {
      engine::async_container_path_stat(daemon, "c1", "/etc", why, std::move(token));
    });
  }
  // A read of a source: how many bytes, and the code.
  outcome<std::size_t> read(byte_source& source, std::vector<char>& block) {
    return operation<std::size_t>([&](diagnostics&, auto token) {
      source.async_read_some(asio::buffer(block), transfer_handler(std::move(token)));
    });
  }
};

}  // namespace

TEST_SUITE("exchange/streams") {
  TEST_CASE("events may be cut at every byte") {
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
        chunked_answer({start_event + "\n", pull_event + "\n"})
            .substr(chunked_answer({start_event + "\n", pull_event + "\n"}).find("\r\n\r\n") + 4);
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send_split(answer, client.number() * 7 + 1);
      client.close();
    });
    streaming talk(daemon);
    for (std::size_t cut = 1; cut < answer.size(); cut += 7) {
      std::vector<engine::daemon_event> seen;
      const auto end = talk.events([&](const engine::daemon_event& event) { seen.push_back(event); });
      REQUIRE(end.code == error_code());
      REQUIRE(seen.size() == 2);
      CHECK(seen[0].type == "container");
      CHECK(seen[0].action == "start");
      CHECK(seen[0].id == "c1");
      CHECK(seen[0].attributes.at("name") == "web");
      CHECK(seen[0].scope == "local");
      CHECK(seen[0].raw == start_event);
      CHECK(std::chrono::duration_cast<std::chrono::nanoseconds>(seen[0].time.time_since_epoch()).count() ==
            1'700'000'000'000'000'123);
      CHECK(seen[1].time == std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'001)));
      CHECK(seen[1].attributes.empty());
    }
  }

  TEST_CASE("podman, which would forget what lies before an end in the past, is asked for longer") {
    using std::chrono::system_clock;
    const std::string both = chunked_answer({pull_event + "\n", start_event + "\n"});
    for (const auto& [ping, is_podman] : {std::pair(docker_ping, false), std::pair(podman_ping, true)}) {
      CAPTURE(is_podman);
      routed_daemon routed({{"GET /_ping", ping}, {"GET /v1.41/events?until=", both}});
      streaming talk(routed.daemon);
      engine::events_options options;
      options.until = system_clock::from_time_t(1'700'000'000) + std::chrono::milliseconds(500);
      const system_clock::time_point began = system_clock::now();
      std::vector<std::string> seen;
      const auto end =
          talk.events([&](const engine::daemon_event& event) { seen.push_back(event.action); }, options);
      REQUIRE(end.code == error_code());
      CHECK(seen == std::vector<std::string>{"start"});
      const std::string asked = routed.lines().back();
      const auto until = system_clock::from_time_t(std::stol(asked.substr(asked.find('=') + 1)));
      if (is_podman)
        CHECK((until >= began + std::chrono::seconds(1) &&
               until <= system_clock::now() + std::chrono::seconds(2)));
      else
        CHECK(asked == "GET /v1.41/events?until=1700000001");
    }
  }

  TEST_CASE("whoever hears an event may end the stream, and the daemon sees it") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                  chunked_answer({start_event})
                      .substr(chunked_answer({start_event}).find("\r\n\r\n") + 4, start_event.size() + 6));
      client.wait_for_close();
    });
    streaming talk(daemon);
    int heard = 0;
    const auto end = talk.events([&](const engine::daemon_event&) {
      ++heard;
      talk.cancel.emit(asio::cancellation_type::terminal);
    });
    CHECK(end.code == condition::cancelled);
    CHECK(heard == 1);
    CHECK(daemon.wait(1).at(0).client_closed);
  }

  TEST_CASE("a daemon that goes away in the middle, and one that sends no JSON") {
    fake_daemon daemon(fake_daemon::in_turn({
        [](peer& client) {
          client.read_request();
          client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"Type\":");
          client.close();
        },
        [](peer& client) {
          client.read_request();
          client.send(json_answer("nonsense"));
          client.wait_for_close();
        },
        [](peer& client) {
          client.read_request();
          client.send(json_answer(R"({"message":"no such filter"})", "400 Bad Request"));
          client.wait_for_close();
        },
    }));
    streaming talk(daemon);
    CHECK(talk.events({}).code == errc::connection_lost);
    const auto bad = talk.events({});
    CHECK(bad.code == errc::malformed_json);
    CHECK(bad.words().find("answer to the events") != std::string::npos);
    const auto refused = talk.events({});
    CHECK(refused.code == errc::bad_request);
    CHECK(refused.why.server_message() == "no such filter");
  }

  TEST_CASE("a tar is read as it is asked for, in blocks of any size, and its connection serves again") {
    const std::string tar(100'000, 't');
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n" + directory_stat + "Content-Length: " + std::to_string(tar.size()) +
                  "\r\n\r\n" + tar);
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n" + directory_stat + "Content-Length: 512\r\n\r\n");
      client.wait_for_close();
    });
    streaming talk(daemon);
    auto opened = talk.get();
    REQUIRE(opened.code == error_code());
    CHECK(opened.value.about.name == "etc");
    CHECK(opened.value.about.type == engine::container_path_type::directory);
    CHECK(opened.value.about.permissions == 0755);
    CHECK(opened.value.tar->size() == tar.size());
    std::string whole;
    std::vector<char> block(777);
    for (;;) {
      const auto some = talk.read(*opened.value.tar, block);
      REQUIRE(some.code == error_code());
      if (some.value == 0) break;
      whole.append(block.data(), some.value);
    }
    CHECK(whole == tar);
    CHECK(talk.read(*opened.value.tar, block).value == 0);
    // The answer to a HEAD tells a length and has no body.
    const auto about = talk.stat();
    CHECK(about.code == error_code());
    CHECK(about.value.size == 4096);
    CHECK(about.value.modified == "2026-01-02T03:04:05Z");
    CHECK(daemon.accepted() == 1);
  }

  TEST_CASE("a tar that is dropped, and one that breaks off") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n" + directory_stat + "Content-Length: 1000\r\n\r\nabc");
      if (client.number() == 0) {
        client.wait_for_close();
      } else {
        client.wait_until_read();
        client.close();
      }
    });
    streaming talk(daemon);
    std::vector<char> block(100);
    {
      auto opened = talk.get();
      CHECK(talk.read(*opened.value.tar, block).value == 3);
    }
    talk.run();
    CHECK(daemon.wait(1).at(0).client_closed);
    auto opened = talk.get();
    CHECK(talk.read(*opened.value.tar, block).value == 3);
    CHECK(talk.read(*opened.value.tar, block).code == errc::connection_lost);
    CHECK(opened.value.tar->why().client_message().find("in the middle") != std::string::npos);
  }

  TEST_CASE("a read that is cancelled before it began to wait is over all the same") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n" + directory_stat + "Content-Length: 1000\r\n\r\nabc");
      client.wait_for_close();
    });
    streaming talk(daemon);
    std::vector<char> block(100);
    auto opened = talk.get();
    CHECK(talk.read(*opened.value.tar, block).value == 3);
    auto seen = talk.begin<std::size_t>([&](diagnostics&, auto token) {
      opened.value.tar->async_read_some(asio::buffer(block), transfer_handler(std::move(token)));
    });
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.context.run_for(prompt);
    CHECK(seen->completions == 1);
    CHECK(seen->code == condition::cancelled);
    opened.value.tar.reset();
    talk.run();
  }

  TEST_CASE("a daemon that does not say what the path is") {
    for (const auto* field : {"", "X-Docker-Container-Path-Stat: !\r\n"}) {
      fake_daemon daemon([&](peer& client) {
        client.read_request();
        client.send(std::string("HTTP/1.1 200 OK\r\n") + field + "Content-Length: 5\r\n\r\n");
        client.wait_for_close();
      });
      streaming talk(daemon);
      CHECK(talk.stat().code == errc::unexpected_answer);
    }
  }

  TEST_CASE("samples: the share of the CPUs, and the memory without what the kernel gives up") {
    const std::string sample =
        R"({"read":"2026-01-02T03:04:05Z","cpu_stats":{"cpu_usage":{"total_usage":3000},"system_cpu_usage":20000,)"
        R"("online_cpus":4},"precpu_stats":{"cpu_usage":{"total_usage":1000},"system_cpu_usage":10000},)"
        R"("memory_stats":{"usage":5000,"limit":18446744073709551615,"stats":{"inactive_file":1000}},)"
        R"("networks":{"eth0":{"rx_bytes":1,"tx_bytes":2},"eth1":{"rx_bytes":10,"tx_bytes":20}},)"
        R"("blkio_stats":{"io_service_bytes_recursive":[{"op":"Read","value":7},{"op":"write","value":8}]},)"
        R"("pids_stats":{"current":3}})";
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(json_answer(sample));
      client.wait_for_close();
    });
    streaming talk(daemon);
    engine::stats_options options;
    options.stream = false;
    std::vector<engine::container_stats> seen;
    const auto end = talk.operation<nothing>([&](diagnostics& why, auto token) {
      engine::async_container_stats(
          talk.daemon, "c1", options, [&](const engine::container_stats& one) { seen.push_back(one); }, why,
          std::move(token));
    });
    CHECK(end.code == error_code());
    REQUIRE(seen.size() == 1);
    CHECK(std::abs(seen[0].cpu_percent - 80) < 0.001);
    CHECK(seen[0].memory_usage == 4000);
    CHECK(seen[0].memory_limit > std::uint64_t{1} << 63);
    CHECK(seen[0].network_received == 11);
    CHECK(seen[0].network_transmitted == 22);
    CHECK(seen[0].block_read == 7);
    CHECK(seen[0].block_written == 8);
    CHECK(seen[0].pids == 3);
    CHECK(seen[0].raw == sample);
  }

  TEST_CASE("an exec is handed the connection, also where the daemon refuses to") {
    fake_daemon daemon(fake_daemon::in_turn({
        [](peer& client) {
          client.read_request();
          client.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw bytes");
          client.close();
        },
        [](peer& client) {
          client.read_request();
          client.send("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n");
          client.wait_for_close();
        },
    }));
    streaming talk(daemon);
    const auto begin = [&] {
      return talk.operation<engine::attachment>([&](diagnostics& why, auto token) {
        engine::async_exec_start(talk.daemon, "e1", true, why, std::move(token));
      });
    };
    const auto streams = begin();
    REQUIRE(streams.code == error_code());
    std::string heard;
    const auto end = talk.operation<nothing>([&](diagnostics& why, auto token) {
      engine::async_attachment_run(
          streams.value, nullptr, [&](progress::output_stream, std::string_view bytes) { heard += bytes; },
          why, std::move(token));
    });
    CHECK(end.code == error_code());
    CHECK(heard == "raw bytes");
    CHECK(begin().code == errc::unexpected_answer);
  }
}

}  // namespace dockline::test
