// What a hostile or broken peer may do, and where it is stopped: each case is named for its bound.

#include "dockline/engine/credentials.hpp"
#include "dockline/engine/token_fetching.hpp"

#include "exchange/attached.hpp"

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace dockline::test {
namespace {

constexpr std::string_view stream_head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";

// Sends without an end, until the client has had enough.
void send_for_ever(peer& client, const std::string& piece) {
  for (;;) client.send(piece);
}

// The same, and counts what went out: what the client read, and what the kernel holds between the two.
void send_for_ever(peer& client, const std::string& piece, std::atomic<std::size_t>& sent) {
  for (;;) {
    client.send(piece);
    sent += piece.size();
  }
}
// More than two sockets' buffers and a block of reading are.
constexpr std::size_t on_the_way = std::size_t{1} << 20;
constexpr std::size_t bound_mebibyte = std::size_t{1} << 20;

// Text that has this size in all.
std::string filled(const std::string& before, char filling, std::size_t size, const std::string& after) {
  return before + std::string(size - before.size() - after.size(), filling) + after;
}

// One answer for each connection.
fake_daemon::script answering(std::vector<std::string> answers) {
  return [answers = std::move(answers)](peer& client) {
    client.read_request();
    client.send(answers.at(client.number()));
    client.wait_for_close();
  };
}

}  // namespace

TEST_SUITE("exchange/bounds") {
  TEST_CASE("a status line, a field's name or value, fields without number: 64 KiB for the whole head") {
    const std::vector<std::pair<std::string, std::string>> floods = {
        {"HTTP/1.1 200 ", std::string(4096, 'O')},
        {"HTTP/1.1 200 OK\r\nX-", std::string(4096, 'n')},
        {"HTTP/1.1 200 OK\r\nX-A: ", std::string(4096, 'v')},
        {"HTTP/1.1 200 OK\r\n", "X-A: b\r\n"},
        {"HTTP/1.1 200 OK\r\nX-A: b\r\n", " folded\r\n"},
    };
    std::atomic<std::size_t> sent = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(floods[client.number()].first);
      send_for_ever(client, floods[client.number()].second, sent);
    });
    for (const auto& flood : floods) {
      CAPTURE(flood.first);
      sent = 0;
      conversation talk(daemon);
      const auto seen = talk.version();
      CHECK(seen.code == condition::peer_misbehaved);
      CHECK(sent < 64 * 1024 + on_the_way);
    }
    for (const auto& record : daemon.wait(floods.size())) CHECK(record.client_closed);
    // As long as it may be, and a byte more.
    const std::string body = R"({"Version":"1.2.3"})";
    const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nX: ";
    fake_daemon exact(answering({filled(start, 'v', 64 * 1024, "\r\n\r\n") + body,
                                 filled(start, 'v', 64 * 1024 + 1, "\r\n\r\n") + body}));
    {
      conversation talk(exact);
      CHECK(talk.version().value.version == "1.2.3");
    }
    conversation talk(exact);
    CHECK(talk.version().code == errc::message_too_long);
  }

  TEST_CASE("interim answers: sixteen") {
    const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      if (client.number() == 0) {
        for (int i = 0; i < 16; ++i) client.send(interim);
        client.send(version_answer);
        return;
      }
      send_for_ever(client, interim);
    });
    {
      conversation talk(daemon);
      CHECK(talk.version().value.version == "1.2.3");
    }
    conversation talk(daemon);
    CHECK(talk.version().code == errc::message_too_long);
    CHECK(talk.build().code == errc::message_too_long);
  }

  TEST_CASE("a chunk's size, its extensions, a trailer: 64 KiB") {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<std::pair<std::string, std::string>> floods = {
        {"2;", std::string(4096, 'e')},
        {"", std::string(4096, '0')},
        {"0\r\nX-A: ", std::string(4096, 'v')},
        {"0\r\n", "X-A: b\r\n"},
    };
    std::atomic<std::size_t> sent = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(head + floods[client.number()].first);
      send_for_ever(client, floods[client.number()].second, sent);
    });
    for (const auto& flood : floods) {
      CAPTURE(flood.first);
      sent = 0;
      conversation talk(daemon);
      CHECK(talk.version().code == condition::peer_misbehaved);
      CHECK(sent < 64 * 1024 + on_the_way);
    }
    // A little less than that is taken, a little more is not.
    const std::string body = R"({"Version":"1.2.3"})";
    std::vector<std::string> answers;
    for (const std::size_t size : {std::size_t{64'000}, std::size_t{67'000}}) {
      answers.push_back(head + "13;" + std::string(size, 'e') + "\r\n" + body + "\r\n0\r\n\r\n");
      answers.push_back(head + "13\r\n" + body + "\r\n0\r\nX-A: " + std::string(size, 'v') + "\r\n\r\n");
    }
    fake_daemon near(answering(answers));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      CAPTURE(i);
      conversation talk(near);
      const auto seen = talk.version();
      if (i < 2) CHECK(seen.value.version == "1.2.3");
      if (i >= 2) CHECK(seen.code == errc::message_too_long);
    }
  }

  TEST_CASE("chunks of one byte with long extensions are slow, but no more than that") {
    std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string body = R"({"Version":"1.2.3"})";
    for (const char c : body) answer += "1;" + std::string(30'000, 'e') + "\r\n" + c + "\r\n";
    answer += "0\r\n\r\n";
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(answer);
    });
    conversation talk(daemon);
    CHECK(talk.version().value.version == "1.2.3");
  }

  TEST_CASE("a length that no number holds, two of them, a length beside chunks") {
    const std::vector<std::string> heads = {
        "Content-Length: 99999999999999999999999",
        "Content-Length: -1",
        "Content-Length: 10\r\nContent-Length: 11",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
    };
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n" + heads[client.number()] + "\r\n\r\n");
      client.wait_for_close();
    });
    for (const auto& head : heads) {
      CAPTURE(head);
      conversation talk(daemon);
      CHECK(talk.version().code == condition::peer_misbehaved);
    }
  }

  TEST_CASE("an answer that is no stream: 64 MiB") {
    std::atomic<std::size_t> sent = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n\r\n[");
      send_for_ever(client, std::string(1 << 20, ' '), sent);
    });
    {
      conversation talk(daemon);
      const auto seen = talk.version();
      CHECK(seen.code == errc::message_too_long);
      CHECK(daemon.wait()[0].client_closed);
      CHECK(sent >= 63 * bound_mebibyte);
      CHECK(sent < 65 * bound_mebibyte + on_the_way);
    }
    // As long as it may be, and a byte more.
    fake_daemon exact([](peer& client) {
      client.read_request();
      const std::size_t size = 64 * bound_mebibyte + client.number();
      client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
      client.send(filled(R"({"Version":"1.2.3")", ' ', size, "}"));
      client.wait_for_close();
    });
    {
      conversation talk(exact);
      CHECK(talk.version().value.version == "1.2.3");
    }
    conversation talk(exact);
    CHECK(talk.version().code == errc::message_too_long);
  }

  TEST_CASE("the words of a refusal: what fits into 1 MiB, and no more is waited for") {
    std::atomic<std::size_t> sent = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 500 Internal Server Error\r\n\r\n");
      send_for_ever(client, std::string(1 << 16, 'w'), sent);
    });
    {
      conversation talk(daemon);
      const auto seen = talk.version();
      CHECK(seen.code == errc::service_failed);
      CHECK(seen.words().size() <= 4096);
      CHECK(seen.words().starts_with("wwww"));
      CHECK(daemon.wait()[0].client_closed);
      CHECK(sent < bound_mebibyte + on_the_way);
    }
    // Words behind a long field: in one mebibyte they are read; of two, what they are in is no JSON.
    fake_daemon exact([](peer& client) {
      client.read_request();
      const std::size_t size = bound_mebibyte * (client.number() + 1);
      client.send("HTTP/1.1 500 Internal Server Error\r\nContent-Length: " + std::to_string(size) +
                  "\r\n\r\n");
      client.send(filled(R"({"filling":")", 'f', size, R"(","message":"the disk is full"})"));
      client.wait_for_close();
    });
    {
      conversation talk(exact);
      CHECK(talk.version().words() == "the disk is full");
    }
    conversation talk(exact);
    const auto cut = talk.version();
    CHECK(cut.code == errc::service_failed);
    CHECK(cut.words().starts_with(R"({"filling":"ffff)"));
    CHECK(cut.words().find("the disk is full") == std::string::npos);
  }

  TEST_CASE("a message: 16 MiB; brackets without end; depth") {
    const std::vector<std::pair<std::string, std::string>> floods = {
        {"{\"stream\":\"", std::string(1 << 18, 'y')},
        {"", std::string(1 << 18, '[')},
        {"{\"stream\":", std::string(1 << 18, ' ')},
    };
    std::atomic<std::size_t> sent = 0;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(stream_head);
      client.send(floods[client.number()].first);
      send_for_ever(client, floods[client.number()].second, sent);
    });
    for (const auto& flood : floods) {
      CAPTURE(flood.first);
      sent = 0;
      conversation talk(daemon);
      CHECK(talk.build().code == condition::peer_misbehaved);
      CHECK(sent < 16 * bound_mebibyte + on_the_way);
    }
    // As long as it may be, and a byte more.
    fake_daemon exact([](peer& client) {
      client.read_request();
      client.send(stream_head);
      client.send(filled(R"({"stream":")", 'y', 16 * bound_mebibyte + client.number(), R"("})"));
      client.send("\r\n" + built);
    });
    {
      conversation talk(exact);
      CHECK(talk.build().value.id == image_id);
    }
    {
      conversation talk(exact);
      CHECK(talk.build().code == errc::message_too_long);
    }
    // Deep, but whole: what nests deeper than a message may is malformed, and takes no stack.
    fake_daemon deep([&](peer& client) {
      client.read_request();
      client.send(chunked_answer({std::string(1'000'000, '[') + std::string(1'000'000, ']') + "\n", built}));
    });
    conversation talk(deep);
    CHECK(talk.build().code == condition::peer_misbehaved);
  }

  TEST_CASE("several messages a chunk, ended by LF or CRLF or nothing, and bytes that are not UTF-8") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send_pieces(
          chunked_answer(
              {"{\"stream\":\"a\xff\xfe\\n\"}\n{\"stream\":\"\xc3\"}{\"stream\":\"b\\n\"}\r\n\r\n \n",
               built + built, "{\"stream\":\"\xed\xa0\x80\\n\"}"}),
          client.number() == 0 ? 100'000 : 3);
    });
    std::vector<std::string> logs(2);
    for (auto& log : logs) {
      conversation talk(daemon);
      const auto seen = talk.build(std::make_shared<scripted_source>(talk.context.get_executor(), 10),
                                   [&](const progress::event& what) {
                                     if (const auto* line = std::get_if<progress::step_log>(&what.body))
                                       log += line->bytes + "|";
                                   });
      CHECK(seen.words() == error_code().message());
      CHECK(seen.value.id == image_id);
    }
    CHECK(logs[0] == logs[1]);
    CHECK(logs[0].find("\xef\xbf\xbd") != std::string::npos);
    CHECK(logs[0].find('\xff') == std::string::npos);
  }

  TEST_CASE("an early answer is heard while 300 MB are sent") {
    constexpr std::uint64_t huge = 300'000'000;
    fake_daemon daemon([](peer& client) {
      client.read_head();
      client.read_raw(64 * 1024);
      client.send(json_answer(R"({"message":"invalid reference format"})", "400 Bad Request"));
      if (client.number() == 1) client.wait_until_read();
    });
    for (int round = 0; round < 2; ++round) {
      conversation talk(daemon);
      auto source = std::make_shared<scripted_source>(talk.context.get_executor(), huge);
      const auto seen = talk.build(source);
      CHECK(seen.code == errc::bad_request);
      CHECK(seen.words() == "invalid reference format");
      CHECK(source->given < 10'000'000);
    }
  }

  TEST_CASE("the writing side is not closed before the answer is there") {
    bool still_open = false;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      // dockerd takes a half-close for a client that went away, and ends the build.
      client.pause(100ms);
      still_open = client.sees_open();
      client.send(chunked_answer({built}));
    });
    conversation talk(daemon);
    CHECK(talk.build(5'000'000).value.id == image_id);
    CHECK(still_open);
  }

  TEST_CASE("a request that may have been carried out is not sent a second time") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(version_answer);
      // Upon the next request the connection ends, without a word.
      client.read_request();
    });
    {
      conversation talk(daemon);
      CHECK(talk.version().code == error_code());
      const auto seen = talk.operation<nothing>([&](diagnostics& why, auto token) {
        engine::async_container_start(talk.daemon, "c1", why, std::move(token));
      });
      CHECK(seen.code == errc::connection_lost);
      CHECK(seen.words() == "the daemon closed the connection without an answer");
    }
    const auto records = daemon.wait();
    REQUIRE(records.size() == 1);
    CHECK(records[0].requests.size() == 2);
  }

  TEST_CASE("a daemon that goes away in the middle of a stream, and comes back") {
    std::vector<std::string> words;
    {
      const std::string whole = chunked_answer({"{\"stream\":\"half\\n\"}\r\n", built});
      fake_daemon daemon([&](peer& client) {
        client.read_head();
        client.send(std::string_view(whole).substr(0, whole.size() - 20));
        if (client.number() == 1) client.reset();
      });
      conversation talk(daemon);
      auto seen = talk.build(10);
      CHECK(seen.code == errc::connection_lost);
      CHECK(seen.words() == "the daemon closed the connection in the middle of its answer");
      CHECK(talk.build(4'000'000).code == errc::connection_lost);
    }
    fake_daemon again([](peer& client) {
      client.read_request();
      client.send(chunked_answer({built}));
    });
    conversation talk(again);
    CHECK(talk.build().value.id == image_id);
  }

  TEST_CASE("a peer that is gone without a word: the idle deadline, in the middle of an answer") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (int i = 0; i < 5; ++i) {
        client.send("1\r\n \r\n");
        client.pause(20ms);
      }
      client.wait_for_close();
    });
    engine::client_options options = options_for(daemon.host());
    options.idle_timeout = 80ms;
    conversation talk(options);
    const auto seen = talk.version();
    CHECK(seen.code == errc::timed_out);
    CHECK(seen.words() == "waited too long for a sign of life");
  }

  TEST_CASE("how long things may take where nothing else is said") {
    const engine::client_options options;
    CHECK(options.connect_timeout == 10s);
    CHECK(options.answer_timeout == 60s);
    CHECK(options.idle_timeout == 60s);
    CHECK(engine::credential_store().helper_timeout == 30s);
    CHECK(engine::token_fetching().timeout == 30s);
  }

  TEST_CASE("frames of a container's output: what is cut or impossible, in pieces of any size") {
    const std::string good = frame(1, "good");
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(upgraded + good);
      client.send(std::string("\x01\0\0\0\xff\xff\xff\xff", 8));
      send_for_ever(client, std::string(1 << 20, 'x'));
    });
    attached talk(daemon);
    const auto streams = talk.attach();
    REQUIRE(streams.code == error_code());
    std::uint64_t bytes = 0;
    asio::cancellation_signal enough;
    error_code end;
    engine::async_attachment_run(
        streams.value, nullptr,
        [&](progress::output_stream, std::string_view some) {
          bytes += some.size();
          if (bytes > 30'000'000) enough.emit(asio::cancellation_type::terminal);
        },
        asio::bind_cancellation_slot(enough.slot(), [&](error_code code) { end = code; }));
    talk.run();
    // Four gigabytes in one frame are handed on as they come; nothing is held.
    CHECK(end == condition::cancelled);
    CHECK(bytes < 40'000'000);
  }
}

}  // namespace dockline::test
