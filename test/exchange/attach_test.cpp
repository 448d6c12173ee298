// The streams of a container: an upgraded connection, frames, and the end of standard input.

#include "dockline/engine/attach.hpp"

#include "exchange/attached.hpp"

#include <boost/asio/bind_executor.hpp>

#include <vector>

namespace dockline::test {
TEST_SUITE("exchange/attach") {
  TEST_CASE("the head and the first frames may come in one piece, cut at any byte") {
    const std::string answer = upgraded + frame(1, "out") + frame(2, "err") + frame(1, "more");
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send_split(answer, client.number());
    });
    attached talk(daemon);
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
      CAPTURE(cut);
      heard what;
      const auto seen = talk.all(what);
      REQUIRE(seen.words() == error_code().message());
      REQUIRE(what.out == "outmore");
      REQUIRE(what.err == "err");
    }
  }

  TEST_CASE("the request asks for an upgrade") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded);
    });
    attached talk(daemon);
    heard what;
    CHECK(talk.all(what).code == error_code());
    const auto records = daemon.wait();
    const auto& request = records[0].requests[0];
    CHECK(request.line() == "POST /v1.41/containers/c1/attach?stderr=1&stdout=1&stream=1 HTTP/1.1");
    CHECK(request.head.find("\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n") != std::string::npos);
  }

  TEST_CASE("with a terminal every byte is output") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded + "\x01\x02raw");
      client.wait_until_read();
      client.send("\r\n");
    });
    attached talk(daemon);
    heard what;
    engine::attach_options options;
    options.tty = true;
    CHECK(talk.all(what, options).code == error_code());
    CHECK(what.out == "\x01\x02raw\r\n");
  }

  TEST_CASE("a connection cut inside a frame is an error, between frames the end") {
    const std::string frames = frame(1, "out") + frame(2, "err");
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded + frames.substr(0, client.number()));
    });
    attached talk(daemon);
    for (std::size_t cut = 0; cut <= frames.size(); ++cut) {
      CAPTURE(cut);
      heard what;
      const auto seen = talk.all(what);
      if (cut % 11 == 0) {
        CHECK(seen.code == error_code());
      } else {
        CHECK(seen.code == errc::connection_lost);
      }
    }
  }

  TEST_CASE("frames that cannot be") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      if (client.number() == 0) {
        client.send(upgraded + frame(1, "fine") + "\x04\0\0\0\0\0\0\x01x");
        client.send(std::string("\x04\0\0\0\0\0\0\x01", 8));
      } else {
        client.send(upgraded);
        client.wait_until_read();
        client.send(std::string("\x01\x01\0\0\0\0\0\x01", 8));
      }
      client.wait_for_close();
    });
    attached talk(daemon);
    for (int round = 0; round < 2; ++round) {
      heard what;
      const auto seen = talk.all(what);
      CHECK(seen.code == errc::malformed_stream);
      CHECK(what.out == (round == 0 ? "fine" : ""));
    }
    for (const auto& record : daemon.wait(2)) CHECK(record.client_closed);
  }

  TEST_CASE("input goes to the container, its end is a half-close, and reading goes on") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded);
      client.wait_for_close();
      client.send(frame(1, "after the end"));
    });
    {
      attached talk(daemon);
      engine::attach_options options;
      options.in = true;
      const auto streams = talk.attach(options);
      heard what;
      auto input = std::make_shared<scripted_source>(talk.context.get_executor(), 100'000);
      const auto seen = talk.listen(streams.value, what, input);
      CHECK(seen.code == error_code());
      CHECK(what.out == "after the end");
    }
    const auto records = daemon.wait();
    CHECK(records[0].script_done);
    CHECK(records[0].after == std::string(100'000, 'x'));
    CHECK(records[0].requests[0].line().find("stdin=1") != std::string::npos);
  }

  TEST_CASE("input that is still awaited when the container ends is let go") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded);
      client.read_raw(10);
      client.pause(5ms);
      client.send(frame(1, "bye"));
    });
    attached talk(daemon);
    const auto streams = talk.attach();
    heard what;
    auto input = std::make_shared<scripted_source>(talk.context.get_executor(), 10);
    input->hangs = true;
    CHECK(talk.listen(streams.value, what, input).code == error_code());
    CHECK(what.out == "bye");
    CHECK(input->cancelled == 1);
    CHECK(input.use_count() == 1);
  }

  TEST_CASE("a container that does not read its input holds it back, and may end all the same") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded);
      client.pause(50ms);
      client.send(frame(1, "enough"));
    });
    attached talk(daemon);
    const auto streams = talk.attach();
    heard what;
    auto input = std::make_shared<scripted_source>(talk.context.get_executor(), std::uint64_t{1} << 40);
    const auto seen = talk.listen(streams.value, what, input);
    // With input unread the connection ends with a reset; what the container wrote has arrived by then.
    CHECK(seen.code == error_code());
    CHECK(what.out == "enough");
    CHECK(input->given < 1'000'000);
    CHECK(input.use_count() == 1);
  }

  TEST_CASE("a daemon that refuses, or that does not hand its connection over") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(client.number() == 0
                      ? json_answer(R"({"message":"No such container: c1"})", "404 Not Found")
                      : json_answer("{}"));
      if (client.number() == 0) {
        client.read_request();
        client.send(json_answer("{}"));
      }
      client.wait_for_close();
    });
    attached talk(daemon);
    auto seen = talk.attach();
    CHECK(seen.code == errc::not_found);
    CHECK(seen.words() == "No such container: c1");
    seen = talk.attach();
    CHECK(seen.code == errc::unexpected_answer);
    CHECK(seen.words().find("status 200") != std::string::npos);
  }

  TEST_CASE("cancelled while it listens, the container is let go when the attachment is") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded + frame(1, "first"));
      client.wait_for_close();
    });
    attached talk(daemon);
    heard what;
    {
      const auto streams = talk.attach();
      auto input = std::make_shared<scripted_source>(talk.context.get_executor(), 10);
      input->hangs = true;
      const auto seen = talk.begin_listening(streams.value, what, input);
      talk.context.run_for(20ms);
      CHECK(what.out == "first");
      CHECK(seen->completions == 0);
      talk.cancel.emit(asio::cancellation_type::total);
      talk.run();
      CHECK(seen->completions == 1);
      CHECK(seen->code == condition::cancelled);
      CHECK(input->cancelled == 1);
    }
    CHECK(daemon.wait()[0].client_closed);
  }

  TEST_CASE("an attachment that was never made says so") {
    asio::io_context context;
    heard what;
    error_code code;
    engine::async_attachment_run(engine::attachment(), nullptr, what.sink(),
                                 asio::bind_executor(context, [&](error_code end) { code = end; }));
    context.run_for(patience);
    CHECK(code == errc::invalid_argument);
  }
}

}  // namespace dockline::test
