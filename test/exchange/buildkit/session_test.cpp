// Sessions over real sockets, with a daemon that asks what it likes.

#include "buildkit/session.hpp"

#include "exchange/buildkit/in_session.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>

namespace dockline::test {
namespace {

const std::string serving("\x08\x01", 2);

asio::awaitable<grpc::status> echo(grpc::call made) {
  for (;;) {
    auto message = co_await made.read();
    if (!message) co_return grpc::status_of(message.error());
    if (!*message) co_return grpc::status();
    if (auto written = co_await made.write(**message); !written) co_return grpc::status_of(written.error());
  }
}

// What handlers did, for the test's thread and the daemon's.
struct counted {
  std::atomic<int> started = 0;
  std::atomic<int> over = 0;
  std::atomic<std::size_t> written = 0;
};

asio::awaitable<grpc::status> upload(std::shared_ptr<counted> what, grpc::call made) {
  ++what->started;
  const std::string block(32 * 1024, 'u');
  for (;;) {
    auto written = co_await made.write(block);
    if (!written) {
      ++what->over;
      co_return grpc::status_of(written.error());
    }
    what->written += block.size();
  }
}

asio::awaitable<grpc::status> hang(std::shared_ptr<counted> what, grpc::call made) {
  ++what->started;
  auto message = co_await made.read();
  while (message && *message) message = co_await made.read();
  ++what->over;
  co_return grpc::status();
}

buildkit::session_options offering(std::shared_ptr<counted> what = std::make_shared<counted>()) {
  buildkit::session_options options;
  options.id = "s1";
  options.shared_key = "k1";
  options.services.add("/t.T/Echo", &echo);
  options.services.add("/t.T/Upload", [what](grpc::call made) { return upload(what, std::move(made)); });
  options.services.add("/t.T/Hang", [what](grpc::call made) { return hang(what, std::move(made)); });
  return options;
}

}  // namespace

TEST_SUITE("exchange/session") {
  TEST_CASE("the daemon takes the connection and asks; closing ends it") {
    asking_daemon::answer health;
    asking_daemon::answer unknown;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(session_answer);
      asking_daemon asks(client);
      health = asks.ask(check_path, "");
      unknown = asks.ask("/moby.upload.v1.Upload/Pull", "");
      asks.call("/t.T/Close", "");
      while (asks.step()) {
      }
    });
    in_session talk(daemon);
    auto options = offering();
    options.services.add("/t.T/Close", [&talk](grpc::call) -> asio::awaitable<grpc::status> {
      talk.session->close();
      co_return grpc::status();
    });
    const auto seen = talk.run_session(std::move(options));
    CHECK(seen.words() == error_code().message());
    CHECK_FALSE(talk.session->lost());
    CHECK(talk.session->id() == "s1");
    CHECK(health.messages == std::vector<std::string>{serving});
    CHECK(health.status == "0");
    CHECK(unknown.status == "12 unknown method /moby.upload.v1.Upload/Pull");
    const auto records = daemon.wait();
    CHECK(records[0].script_done);
    CHECK(records[0].client_closed);
    const auto& request = records[0].requests[0];
    CHECK(request.line() == "POST /v1.41/session HTTP/1.1");
    for (const char* field :
         {"Connection: Upgrade", "Upgrade: h2c", "X-Docker-Expose-Session-Uuid: s1",
          "X-Docker-Expose-Session-Name: dockline", "X-Docker-Expose-Session-Sharedkey: k1",
          "X-Docker-Expose-Session-Grpc-Method: /t.T/Echo",
          "X-Docker-Expose-Session-Grpc-Method: /grpc.health.v1.Health/Check"}) {
      CAPTURE(field);
      CHECK(request.head.find(std::string("\r\n") + field + "\r\n") != std::string::npos);
    }
  }

  TEST_CASE("the head and the first frames may come in one piece, cut at any byte") {
    // The preface, settings and a health check, as a daemon sends them at once.
    std::string opening = session_answer;
    {
      h2::peer asks(h2::role::client);
      h2::fields headers = {{":method", "POST"},
                            {":scheme", "http"},
                            {":path", check_path},
                            {":authority", "localhost"},
                            {"content-type", "application/grpc"}};
      const auto id = *asks.submit_request(headers, false);
      asks.write(id, std::string(5, '\0'));
      asks.finish(id);
      (void)asks.collect(opening, 1 << 20);
    }
    std::atomic<int> answered = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send_split(opening, client.number());
      std::string all;
      while (all.find(serving) == all.npos) {
        const std::string some = client.take_raw();
        if (some.empty()) throw script_broken{"closed"};
        all += some;
      }
      ++answered;
    });
    in_session talk(daemon);
    for (std::size_t cut = 0; cut <= opening.size(); ++cut) {
      CAPTURE(cut);
      const auto seen = talk.run_session(offering());
      REQUIRE(seen.opened == error_code());
      REQUIRE(seen.over == errc::connection_lost);
    }
    CHECK(answered == static_cast<int>(opening.size()) + 1);
  }

  TEST_CASE("a daemon without sessions") {
    const struct {
      std::string answer;
      errc code;
      std::string words;
    } table[] = {
        {json_answer(R"({"message":"page not found"})", "404 Not Found"), errc::not_found, "page not found"},
        {json_answer(R"({"message":"no upgrade"})", "400 Bad Request"), errc::bad_request, "no upgrade"},
        {json_answer("{}"), errc::unexpected_answer,
         "the daemon does not hand over the connection: status 200"},
    };
    for (const auto& row : table) {
      fake_daemon daemon([&](peer& client) {
        client.read_request();
        client.send(row.answer);
        client.wait_for_close();
      });
      in_session talk(daemon);
      const auto seen = talk.run_session(offering());
      CHECK(seen.opened == row.code);
      CHECK(seen.words().find(row.words) != std::string::npos);
    }
  }

  TEST_CASE("many calls at once, each with its own answer") {
    bool fine = true;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(session_answer);
      asking_daemon asks(client);
      std::vector<h2::stream_id> ids;
      for (int i = 0; i < 60; ++i)
        ids.push_back(asks.call("/t.T/Echo", std::string(1000 * static_cast<std::size_t>(i), 'e')));
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& answer = asks.wait(ids[i]);
        fine = fine && answer.status == "0" && answer.messages.size() == 1 &&
               answer.messages[0].size() == 1000 * i;
      }
    });
    in_session talk(daemon);
    CHECK(talk.run_session(offering()).over == errc::connection_lost);
    CHECK(daemon.wait()[0].script_failure == "");
    CHECK(fine);
  }

  TEST_CASE("health is answered while uploads fill the link, and what waits is bounded") {
    const auto what = std::make_shared<counted>();
    std::size_t before_answer = 0;
    std::size_t ahead = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(session_answer);
      h2::peer_limits wide;
      wide.stream_window = 8 << 20;
      wide.connection_window = 64 << 20;
      asking_daemon asks(client, wide);
      asks.keeps_messages = false;
      std::vector<h2::stream_id> uploads;
      for (int i = 0; i < 4; ++i) uploads.push_back(asks.call("/t.T/Upload", ""));
      while (asks.received < (1 << 20)) asks.step();
      for (int round = 0; round < 5; ++round) {
        // The daemon is busy elsewhere; everything on the way is full.
        client.pause(30ms);
        ahead = std::max(ahead, what->written - asks.received);
        const auto id = asks.call(check_path, "");
        const std::size_t start = asks.received;
        if (asks.wait(id).status != "0") throw script_broken{"no health"};
        before_answer = std::max(before_answer, asks.received - start);
      }
    });
    in_session talk(daemon);
    const auto seen = talk.run_session(offering(what));
    CHECK(seen.over == errc::connection_lost);
    CHECK(daemon.wait()[0].script_failure == "");
    CHECK(what->started == 4);
    CHECK(what->over == 4);
    // A block of output and what the socket takes lie before the answer.
    CAPTURE(before_answer);
    CHECK(before_answer < (2 << 20));
    // The buffers of four calls, a block of output, and the socket's.
    CAPTURE(ahead);
    CHECK(ahead < (2 << 20));
  }

  TEST_CASE("a daemon that goes away is told of, and every call ends") {
    for (int how = 0; how < 3; ++how) {
      CAPTURE(how);
      const auto what = std::make_shared<counted>();
      fake_daemon daemon([&](peer& client) {
        client.read_request();
        client.send(session_answer);
        asking_daemon asks(client);
        asks.begin("/t.T/Hang");
        asks.begin("/t.T/Hang");
        asks.call("/t.T/Upload", "");
        asks.ask(check_path, "");
        switch (how) {
          case 0: client.close(); break;
          case 1:
            client.half_close();
            client.wait_for_close();
            break;
          case 2: client.reset(); break;
        }
      });
      in_session talk(daemon);
      const auto seen = talk.run_session(offering(what));
      CHECK(seen.over == errc::connection_lost);
      CHECK(seen.words().starts_with(
          "the session with the daemon ended: the other side closed the connection"));
      CHECK(talk.session->lost());
      CHECK(talk.session->failure() == errc::connection_lost);
      CHECK(what->started == 3);
      CHECK(what->over == 3);
    }
  }

  TEST_CASE("what is no HTTP/2, and frames that break its rules") {
    const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
    const std::string broken[] = {
        "{\"message\":\"no\"}\r\nand nothing that could be a preface",
        preface + std::string("\0\0\0\0\0\0\0\0\1", 9),
        preface + settings + std::string("\0\0\1\0\0\0\0\0\7x", 10),
        preface + settings + std::string("\xff\xff\xff\0\0\0\0\0\1", 9),
        preface + settings + std::string("\0\0\6\1\4\0\0\0\1\xff\xff\xff\xff\xff\xff", 15),
    };
    for (const auto& bytes : broken) {
      fake_daemon daemon([&](peer& client) {
        client.read_request();
        client.send(session_answer + bytes);
        client.wait_for_close();
      });
      in_session talk(daemon);
      const auto seen = talk.run_session(offering());
      CHECK(seen.over == errc::malformed_http2);
      CHECK(seen.over == condition::peer_misbehaved);
      CHECK(seen.words().starts_with("the session with the daemon ended: the other side "));
      CHECK(daemon.wait()[0].client_closed);
    }
  }

  TEST_CASE("streams without end and resets without end: the session goes on") {
    const auto what = std::make_shared<counted>();
    asking_daemon::answer health;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(session_answer);
      asking_daemon asks(client);
      asks.ask(check_path, "");
      // As many as there may be, none of which ends; more wait here for their turn.
      std::vector<h2::stream_id> endless;
      for (int i = 0; i < 200; ++i) endless.push_back(asks.begin("/t.T/Hang"));
      asks.flush();
      for (int round = 0; round < 300; ++round) {
        const auto id = asks.call("/t.T/Upload", "");
        asks.reset(id);
        asks.flush();
      }
      for (const auto id : endless) asks.reset(id);
      // Tried again as gRPC's clients do, while cancelled handlers are in the way.
      do {
        health = asks.ask(check_path, "");
      } while (health.closed == "REFUSED_STREAM");
    });
    in_session talk(daemon);
    const auto seen = talk.run_session(offering(what));
    CHECK(seen.over == errc::connection_lost);
    CHECK(daemon.wait()[0].script_failure == "");
    CHECK(health.status == "0");
    CHECK(what->started >= 128);
    CHECK(what->started == what->over);
  }

  TEST_CASE("cancelling, before the daemon answers and after it") {
    for (const bool answers : {false, true}) {
      CAPTURE(answers);
      gate open;
      fake_daemon daemon([&](peer& client) {
        client.read_request();
        if (answers) {
          client.send(session_answer);
          asking_daemon asks(client);
          asks.ask(check_path, "");
        }
        open.open();
        client.wait_for_close();
      });
      in_session talk(daemon);
      in_session::outcome_of_session seen;
      talk.begin_session(offering(), seen);
      while (!open.wait(1ms)) talk.context.run_for(5ms);
      talk.cancel.emit(asio::cancellation_type::total);
      talk.run();
      CHECK(seen.completions == 1);
      CHECK(seen.over == condition::cancelled);
      CHECK(daemon.wait()[0].client_closed);
    }
  }

  TEST_CASE("a session that is dropped is closed, and its calls end") {
    const auto what = std::make_shared<counted>();
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(session_answer);
      asking_daemon asks(client);
      asks.begin("/t.T/Hang");
      asks.ask(check_path, "");
      client.wait_for_close();
    });
    {
      in_session talk(daemon);
      spawn<void>(talk.executor(), nullptr,
                  completion_handler<void>([](error_code code) { CHECK(code == error_code()); }),
                  [&](diagnostics& why) -> task<void> {
                    auto options = offering(what);
                    auto made = co_await buildkit::session::open(talk.daemon, std::move(options), why);
                    if (!made) co_return made.error();
                    asio::steady_timer soon(talk.context, std::chrono::milliseconds(100));
                    co_await soon.async_wait(no_throw);
                    co_return result<void>();
                  });
      talk.run();
    }
    CHECK(daemon.wait()[0].client_closed);
    CHECK(what->started == 1);
    CHECK(what->over == 1);
  }

  TEST_CASE("several sessions at once on one client") {
    std::atomic<int> healthy = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(session_answer);
      asking_daemon asks(client);
      for (int i = 0; i < 20; ++i) {
        if (asks.ask("/t.T/Echo", std::string(10'000, 'x')).status == "0") ++healthy;
      }
    });
    in_session talk(daemon);
    std::array<in_session::outcome_of_session, 5> seen;
    std::vector<std::unique_ptr<buildkit::session>> sessions;
    for (auto& one : seen) {
      spawn<void>(talk.executor(), &one.why, completion_handler<void>([&one](error_code code) {
                    ++one.completions;
                    one.over = code;
                  }),
                  [&](diagnostics& why) -> task<void> {
                    auto options = offering();
                    options.id.clear();
                    auto made = co_await buildkit::session::open(talk.daemon, std::move(options), why);
                    if (!made) co_return made.error();
                    auto over = co_await (*made)->wait(why);
                    co_return over;
                  });
    }
    talk.run();
    for (const auto& one : seen) {
      CHECK(one.completions == 1);
      CHECK(one.over == errc::connection_lost);
    }
    CHECK(healthy == 100);
  }
}

}  // namespace dockline::test
