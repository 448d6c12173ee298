// Connecting, keeping connections, losing them.

#include "exchange/conversation.hpp"
#include "http/dial.hpp"
#include "http/exchange.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace dockline::test {
namespace {

// A socket that was bound, listened on if asked for, and closed: its file stays.
void leave_socket(const std::string& path, bool listening, int& descriptor) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
  descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0);
  if (listening) REQUIRE(::listen(descriptor, 8) == 0);
}

void serve_versions(peer& client, int count) {
  for (int i = 0; i < count; ++i) {
    client.read_request();
    client.send(version_answer);
  }
}

}  // namespace

TEST_SUITE("exchange/connections") {
  TEST_CASE("a missing socket, and one on which nobody listens") {
    scratch_folder folder;
    const std::string path = folder / "docker.sock";
    conversation talk(options_for("unix://" + path));
    auto seen = talk.version();
    CHECK(seen.code == errc::cannot_connect);
    CHECK(seen.words() == "cannot connect to the daemon at unix://" + path +
                              ": there is no such socket; is the daemon running?");
    int descriptor = -1;
    leave_socket(path, false, descriptor);
    seen = talk.version();
    CHECK(seen.code == errc::cannot_connect);
    CHECK(seen.words().find("nobody listens on the socket") != std::string::npos);
    CHECK(talk.build().code == condition::unreachable);
    ::close(descriptor);
  }

  TEST_CASE("an address that is none") {
    conversation talk(options_for("npipe:////./pipe/docker_engine"));
    CHECK(talk.version().code == errc::invalid_address);
    CHECK(talk.build().code == errc::invalid_address);
  }

  TEST_CASE("a socket without permission names the cure") {
    scratch_folder folder;
    const std::string path = folder / "docker.sock";
    int descriptor = -1;
    leave_socket(path, true, descriptor);
    // Of this thread alone: the raw system call does not tell the other ones, and connects are made here.
    const uid_t own = ::geteuid();
    if (own == 0) {
      REQUIRE(::chmod((folder / "").c_str(), 0755) == 0);
      REQUIRE(::chmod(path.c_str(), 0600) == 0);
      if (::syscall(SYS_setresuid, -1, 65534, -1) != 0) {
        MESSAGE("skipped: root may not become somebody else here");
        ::close(descriptor);
        return;
      }
    } else {
      REQUIRE(::chmod(path.c_str(), 0) == 0);
    }
    conversation talk(options_for("unix://" + path));
    const auto seen = talk.version();
    if (own == 0) REQUIRE(::syscall(SYS_setresuid, -1, own, -1) == 0);
    CHECK(seen.code == errc::no_permission);
    CHECK(seen.words().find(path) != std::string::npos);
    CHECK(seen.words().find("usermod -aG docker") != std::string::npos);
    ::close(descriptor);
  }

  TEST_CASE("a daemon whose queue of connections is full is waited for") {
    auto may_accept = std::make_shared<gate>();
    fake_daemon daemon([](peer& client) { serve_versions(client, 1); }, 1, may_accept);
    conversation talk(daemon);
    std::vector<std::shared_ptr<outcome<engine::version_result>>> all;
    for (int i = 0; i < 10; ++i) all.push_back(talk.begin_version());
    talk.context.run_for(100ms);
    may_accept->open();
    talk.run();
    for (const auto& one : all) {
      CHECK(one->words() == error_code().message());
      CHECK(one->value.version == "1.2.3");
    }
  }

  TEST_CASE("a full queue is waited for until the deadline, and no longer than until it is cancelled") {
    auto may_accept = std::make_shared<gate>();
    fake_daemon daemon([](peer&) {}, 0, may_accept);
    engine::client_options options = options_for(daemon.host());
    options.connect_timeout = 150ms;
    options.answer_timeout = 150ms;
    conversation talk(options);
    std::vector<std::shared_ptr<outcome<engine::version_result>>> all;
    for (int i = 0; i < 4; ++i) all.push_back(talk.begin_version());
    talk.run();
    int not_connected = 0;
    for (const auto& one : all) {
      CHECK(one->code == errc::timed_out);
      if (one->words().find("cannot connect") != std::string::npos) ++not_connected;
    }
    CHECK(not_connected >= 2);

    options.connect_timeout = 0ms;
    conversation patient(options);
    const auto waiting = patient.begin_version();
    patient.context.run_for(50ms);
    CHECK(waiting->completions == 0);
    patient.cancel.emit(asio::cancellation_type::terminal);
    patient.run();
    CHECK(waiting->code == condition::cancelled);
    may_accept->open();
  }

  TEST_CASE("one operation after the other uses one connection") {
    fake_daemon daemon([](peer& client) {
      serve_versions(client, 3);
      client.wait_for_close();
    });
    {
      conversation talk(daemon);
      for (int i = 0; i < 3; ++i) CHECK(talk.version().code == error_code());
    }
    const auto records = daemon.wait();
    CHECK(daemon.accepted() == 1);
    CHECK(records[0].requests.size() == 3);
    CHECK(records[0].requests[2].line() == "GET /v1.41/version HTTP/1.1");
    CHECK(records[0].client_closed);
  }

  TEST_CASE("eight connections are kept, and no more") {
    fake_daemon daemon([](peer& client) {
      for (;;) {
        client.read_request();
        client.pause(100ms);
        client.send(version_answer);
      }
    });
    conversation talk(daemon);
    const auto twenty_at_once = [&] {
      int done = 0;
      for (int i = 0; i < 20; ++i) {
        engine::async_version(talk.daemon, [&](error_code code, const engine::version_result&) {
          CHECK(code == error_code());
          ++done;
        });
      }
      talk.run();
      CHECK(done == 20);
    };
    twenty_at_once();
    const auto before = daemon.accepted();
    CHECK(before >= 20);
    twenty_at_once();
    CHECK(daemon.accepted() == before + 12);
  }

  TEST_CASE("the connection of a refusal is kept, one that the daemon wants closed is not") {
    fake_daemon daemon([](peer& client) {
      if (client.number() == 0) {
        client.read_request();
        client.send(json_answer(R"({"message":"no"})", "404 Not Found"));
        client.read_request();
        client.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
        client.wait_for_close();
      } else {
        serve_versions(client, 1);
      }
    });
    conversation talk(daemon);
    CHECK(talk.version().code == errc::not_found);
    CHECK(talk.version().code == error_code());
    CHECK(talk.version().value.version == "1.2.3");
    CHECK(daemon.accepted() == 2);
  }

  TEST_CASE("a kept connection that the daemon closed meanwhile is replaced") {
    gate closed;
    fake_daemon daemon([&](peer& client) {
      serve_versions(client, 1);
      client.close();
      closed.open();
    });
    conversation talk(daemon);
    CHECK(talk.version().code == error_code());
    REQUIRE(closed.wait());
    CHECK(talk.version().value.version == "1.2.3");
    CHECK(daemon.accepted() == 2);
  }

  TEST_CASE("also when it closes upon the request; a new connection that does so is an error") {
    fake_daemon daemon([&](peer& client) {
      if (client.number() == 0) serve_versions(client, 1);
      client.read_request();
    });
    conversation talk(daemon);
    CHECK(talk.version().code == error_code());
    const auto seen = talk.version();
    CHECK(seen.code == errc::connection_lost);
    CHECK(seen.words() == "the daemon closed the connection without an answer");
    CHECK(daemon.accepted() == 2);
  }

  TEST_CASE("a request is not repeated once a byte of its answer came") {
    fake_daemon daemon([&](peer& client) {
      serve_versions(client, 1);
      client.read_request();
      client.send("H");
    });
    conversation talk(daemon);
    CHECK(talk.version().code == error_code());
    const auto seen = talk.version();
    CHECK(seen.code == errc::connection_lost);
    CHECK(seen.words() == "the daemon closed the connection in the middle of its answer");
    CHECK(daemon.accepted() == 1);
  }

  TEST_CASE("bytes behind an answer are no answer to the next request") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(version_answer + json_answer(R"({"Version":"smuggled"})"));
      if (client.number() == 0) client.wait_for_close();
    });
    conversation talk(daemon);
    CHECK(talk.version().value.version == "1.2.3");
    CHECK(talk.version().value.version == "1.2.3");
    CHECK(daemon.accepted() == 2);
  }

  TEST_CASE("nor are bytes that came while the connection was kept") {
    gate sent;
    fake_daemon daemon([&](peer& client) {
      serve_versions(client, 1);
      if (client.number() == 0) {
        client.pause(20ms);
        client.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        sent.open();
        client.wait_for_close();
      }
    });
    conversation talk(daemon);
    CHECK(talk.version().code == error_code());
    REQUIRE(sent.wait());
    CHECK(talk.version().value.version == "1.2.3");
    CHECK(daemon.accepted() == 2);
  }

  TEST_CASE("a silent daemon is given up at its deadline") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      if (client.number() == 1) client.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{");
      client.wait_for_close();
    });
    engine::client_options options = options_for(daemon.host());
    options.answer_timeout = 50ms;
    options.idle_timeout = 0ms;
    {
      conversation talk(options);
      const auto seen = talk.version();
      CHECK(seen.code == errc::timed_out);
      CHECK(seen.code == condition::timed_out);
      CHECK(seen.words() == "waited too long for the answer to begin");
    }
    options.answer_timeout = 0ms;
    options.idle_timeout = 50ms;
    {
      conversation talk(options);
      const auto seen = talk.version();
      CHECK(seen.code == errc::timed_out);
      CHECK(seen.words() == "waited too long for a sign of life");
    }
    const auto records = daemon.wait(2);
    for (const auto& record : records) CHECK(record.client_closed);
  }

  TEST_CASE("a build may be silent for longer than that") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.pause(150ms);
      client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      client.pause(150ms);
      client.send("1\r\n \r\n" +
                  chunked_answer({built}).substr(chunked_answer({built}).find("\r\n\r\n") + 4));
    });
    engine::client_options options = options_for(daemon.host());
    options.answer_timeout = 50ms;
    options.idle_timeout = 50ms;
    conversation talk(options);
    CHECK(talk.build().value.id == image_id);
  }

  TEST_CASE("the deadline for the head is over when the head is there, also while the body is still sent") {
    fake_daemon daemon([](peer& client) {
      client.read_head();
      client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
      client.wait_until_read();
      client.read_body();
      client.pause(200ms);
      client.send("ok");
    });
    asio::io_context context;
    http::address where;
    where.path = daemon.host().substr(7);
    std::string body;
    error_code code;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          co_await asio::this_coro::throw_if_cancelled(false);
          diagnostics why;
          http::deadlines limits;
          limits.head = 50ms;
          auto connection = co_await http::dial_unix(context.get_executor(), where, 1s, why);
          http::exchange over(context.get_executor(), std::move(*connection), limits);
          http::request request;
          request.head.method = "POST";
          request.source = std::make_shared<scripted_source>(context.get_executor(), 4'000'000);
          auto started = co_await over.start(std::move(request), why);
          if (!started) {
            code = started.error();
            co_return;
          }
          auto all = co_await over.read_all(100, why);
          if (all) {
            body = *all;
          } else {
            code = all.error();
          }
        },
        [](std::exception_ptr failure) { CHECK_FALSE(failure); });
    context.run_for(patience);
    CHECK(code == error_code());
    CHECK(body == "ok");
  }

  TEST_CASE("the deadline for all of it") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n\r\n");
      for (;;) {
        client.send("x");
        client.pause(5ms);
      }
    });
    asio::io_context context;
    http::address where;
    where.path = daemon.host().substr(7);
    error_code code;
    std::string words;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          co_await asio::this_coro::throw_if_cancelled(false);
          diagnostics why;
          http::deadlines limits;
          limits.total = 80ms;
          limits.idle = 10s;
          auto connection = co_await http::dial_unix(context.get_executor(), where, 1s, why);
          http::exchange over(context.get_executor(), std::move(*connection), limits);
          auto started = co_await over.start(http::request(), why);
          CHECK(started.has_value());
          auto all = co_await over.read_all(1000, why);
          code = all ? error_code() : all.error();
          words = why.client_message();
        },
        [](std::exception_ptr failure) { CHECK_FALSE(failure); });
    context.run_for(patience);
    CHECK(code == errc::timed_out);
    CHECK(words == "waited too long for the whole exchange");
  }
}

}  // namespace dockline::test
