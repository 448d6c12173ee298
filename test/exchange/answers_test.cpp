// How the daemon's answer to a build may arrive, and what may be wrong with it.

#include "exchange/conversation.hpp"
#include "support/event_listing.hpp"

#include <algorithm>
#include <vector>

namespace dockline::test {
namespace {

const std::vector<std::string> classic_messages = {
    "{\"stream\":\"Step 1/2 : FROM scratch\"}\r\n{\"stream\":\"\\n\"}\r\n{\"stream\":\" ---\\u003e "
    "\\n\"}\r\n",
    "{\"stream\":\"Step 2/2 : COPY . /\"}\r\n",
    "{\"stream\":\"\\n\"}\r\n{\"stream\":\"caf\xc3\xa9 \\\"quoted\\\"\\n\"}\r\n",
    built + "{\"stream\":\"Successfully built aaaaaaaaaaaa\\n\"}\r\n",
};

std::string recorded() { return chunked_answer(classic_messages); }

struct build_as_told {
  outcome<engine::built_image> end;
  std::string events;  // without the context's progress, which depends on the clock
};

build_as_told build_and_list(conversation& talk) {
  build_as_told seen;
  std::string log;
  talk.context.restart();
  seen.end = talk.build(std::make_shared<scripted_source>(talk.context.get_executor(), 100),
                        [&](const progress::event& what) {
                          if (std::holds_alternative<progress::context_progress>(what.body)) return;
                          seen.events += list_event(what) + '\n';
                        });
  return seen;
}

}  // namespace

TEST_SUITE("exchange/answers") {
  TEST_CASE("a build's answer may be cut at every byte") {
    const std::string answer = recorded();
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send_split(answer, client.number());
      client.wait_for_close();
    });
    conversation talk(daemon);
    const build_as_told whole = build_and_list(talk);
    CHECK(whole.end.code == error_code());
    CHECK(whole.end.value.id == image_id);
    CHECK(whole.events.find("step_log 2 out \"caf\xc3\xa9 \\\"quoted\\\"\\n\"") != std::string::npos);
    for (std::size_t cut = 1; cut <= answer.size(); ++cut) {
      // A streamed body never goes onto a kept connection, so each build is a connection of its own.
      const build_as_told seen = build_and_list(talk);
      CAPTURE(cut);
      REQUIRE(seen.end.words() == whole.end.words());
      REQUIRE(seen.end.value.id == image_id);
      REQUIRE(seen.events == whole.events);
    }
    CHECK(daemon.accepted() == answer.size() + 1);
  }

  TEST_CASE("one byte a write, and slowly") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      if (client.number() == 0) {
        client.send_pieces(recorded(), 1);
      } else {
        client.send_pieces(recorded(), 64, 2ms);
      }
    });
    conversation talk(daemon);
    const build_as_told bytewise = build_and_list(talk);
    const build_as_told slowly = build_and_list(talk);
    CHECK(bytewise.end.code == error_code());
    CHECK(slowly.end.code == error_code());
    CHECK(bytewise.events == slowly.events);
  }

  TEST_CASE("a connection that is cut at any byte of the answer is an error, never an image") {
    const std::string answer = recorded();
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(std::string_view(answer).substr(0, client.number()));
    });
    conversation talk(daemon);
    for (std::size_t cut = 0; cut < answer.size(); ++cut) {
      const build_as_told seen = build_and_list(talk);
      CAPTURE(cut);
      REQUIRE(seen.end.code == errc::connection_lost);
      REQUIRE(seen.end.value.id.empty());
      REQUIRE(seen.end.words().find(cut == 0 ? "without an answer" : "in the middle of its answer") !=
              std::string::npos);
    }
    CHECK(build_and_list(talk).end.code == error_code());
  }

  TEST_CASE("the same with a reset in place of an end, and with an answer of known length") {
    const std::string answer = json_answer(built);
    constexpr std::uint64_t more_than_is_read = 2'000'000;
    fake_daemon daemon([&](peer& client) {
      client.read_head();
      client.send(std::string_view(answer).substr(0, client.number()));
      client.wait_until_read();
      // The body is left unread, which makes it a reset.
      client.reset();
    });
    conversation talk(daemon);
    for (std::size_t cut = 0; cut < answer.size(); ++cut) {
      const auto seen = talk.build(more_than_is_read);
      CAPTURE(cut);
      REQUIRE(seen.code == errc::connection_lost);
    }
  }

  TEST_CASE("an answer that only its end delimits") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n\r\n" + (client.number() == 0 ? built : built.substr(0, 40)));
    });
    conversation talk(daemon);
    CHECK(talk.build().value.id == image_id);
    const auto seen = talk.build();
    CHECK(seen.code == errc::malformed_json);
  }

  TEST_CASE("a 200 that tells neither image nor error is no success") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(client.number() == 0 ? chunked_answer({"{\"stream\":\"Step 1/1 : FROM scratch\"}\r\n"})
                                       : "HTTP/1.1 204 No Content\r\n\r\n");
      client.wait_for_close();
    });
    conversation talk(daemon);
    auto seen = talk.build();
    CHECK(seen.code == errc::no_outcome);
    CHECK(seen.words() == "the daemon ended the build without telling an image or an error");
    CHECK(talk.build().code == errc::no_outcome);
  }

  TEST_CASE("an errorDetail is a failure that says where") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(chunked_answer({
          "{\"stream\":\"Step 3/7 : RUN make\"}\r\n{\"stream\":\"\\n\"}\r\n",
          "{\"stream\":\" ---\\u003e Running in abc\\n\"}\r\n{\"stream\":\"cc: no input files\\n\"}\r\n",
          "{\"errorDetail\":{\"code\":4,\"message\":\"The command '/bin/sh -c make' returned a non-zero "
          "code: 4\"},\"error\":\"The command '/bin/sh -c make' returned a non-zero code: 4\"}\r\n",
      }));
      client.wait_for_close();
    });
    conversation talk(daemon);
    const auto seen = talk.build();
    CHECK(seen.code == errc::build_failed);
    CHECK(seen.code == condition::build_failed);
    REQUIRE(seen.why.step() != nullptr);
    const failed_step& step = *seen.why.step();
    CHECK(step.index == 3);
    CHECK(step.total == 7);
    CHECK(step.instruction == "RUN make");
    CHECK(step.exit_code == 4);
    CHECK(step.reason == "The command '/bin/sh -c make' returned a non-zero code: 4");
    CHECK(step.log_tail == "cc: no input files\n");
    CHECK(seen.why.server_message() == step.reason);
    CHECK(seen.words().starts_with("step 3/7 RUN make: exit code 4"));
    CHECK(seen.value.id.empty());
  }

  TEST_CASE("an error that was told counts, however the connection ends after it") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      std::string answer = chunked_answer({"{\"errorDetail\":{\"message\":\"no such base\"}}\r\n"});
      answer.resize(answer.size() - 5);
      client.send(answer);
    });
    conversation talk(daemon);
    const auto seen = talk.build();
    CHECK(seen.code == errc::build_failed);
    CHECK(seen.words() == "no such base");
  }

  TEST_CASE("interim answers announce the real one") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send_pieces(
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + version_answer,
          client.number() == 0 ? 10000 : 7);
    });
    for (int round = 0; round < 2; ++round) {
      conversation talk(daemon);
      const auto seen = talk.version();
      CHECK(seen.code == error_code());
      CHECK(seen.value.version == "1.2.3");
    }
  }

  TEST_CASE("what is not HTTP/1.1") {
    const std::vector<std::string> answers = {
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: twelve\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        std::string("\x15\x03\x01\x00\x02\x02\x16\x15\x03\x01\x00\x02\x01\x00", 14),
        std::string("\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80", 15),
    };
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(answers[client.number()]);
      client.wait_for_close();
    });
    conversation talk(daemon);
    for (const auto& answer : answers) {
      CAPTURE(answer);
      const auto seen = talk.version();
      CHECK(seen.code == errc::malformed_http);
      CHECK(seen.code == condition::peer_misbehaved);
    }
  }

  TEST_CASE("a head without an end is cut off at its limit") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n");
      std::string many;
      for (int i = 0; i < 100; ++i)
        many += "X-Field-" + std::to_string(i) + ": " + std::string(1000, 'v') + "\r\n";
      client.send(many);
      client.wait_for_close();
    });
    conversation talk(daemon);
    CHECK(talk.version().code == errc::message_too_long);
  }

  TEST_CASE("neither a chunk's extensions nor a trailer make the client hold more than a head may have") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      client.send(client.number() == 0 ? "2;name=" : "0\r\nX-Trailer: ");
      client.send(std::string(100'000, 'v'));
      client.wait_for_close();
    });
    for (int round = 0; round < 2; ++round) {
      conversation talk(daemon);
      CHECK(talk.version().code == errc::message_too_long);
    }
  }

  TEST_CASE("a message without an end is cut off at its limit") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n\r\n{\"stream\":\"");
      const std::string much(1 << 20, 'y');
      for (int i = 0; i < 17; ++i) client.send(much);
    });
    conversation talk(daemon);
    const auto seen = talk.build();
    CHECK(seen.code == errc::message_too_long);
    CHECK(seen.words().find("message too long") != std::string::npos);
    const auto records = daemon.wait();
    CHECK(records.front().client_closed);
  }

  TEST_CASE("messages that are not JSON") {
    const std::vector<std::string> bodies = {"<html>", "{\"stream\":}", "{]", "{\"a\":1", "nul"};
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(chunked_answer({bodies[client.number()]}));
      client.wait_for_close();
    });
    conversation talk(daemon);
    for (const auto& body : bodies) {
      CAPTURE(body);
      CHECK(talk.build().code == errc::malformed_json);
    }
  }

  TEST_CASE("a status is an error of its kind, with the daemon's words") {
    struct row {
      const char* status;
      const char* body;
      errc code;
      const char* words;
    };
    const std::vector<row> rows = {
        {"400 Bad Request", R"({"message":"bad one"})", errc::bad_request, "bad one"},
        {"401 Unauthorized", R"({"message":"who"})", errc::unauthorized, "who"},
        {"403 Forbidden", "plain\n", errc::denied, "plain"},
        {"404 Not Found", R"({"message":"page not found"})", errc::not_found, "page not found"},
        {"409 Conflict", "", errc::conflict, "conflict"},
        {"500 Internal Server Error", R"({"errorDetail":{"message":"deep"}})", errc::service_failed, "deep"},
        {"503 Service Unavailable", "", errc::service_failed, "the daemon answered with status 503"},
        {"418 Teapot", "", errc::refused, "the daemon answered with status 418"},
        {"101 Switching Protocols", "", errc::unexpected_answer, "the daemon answered with status 101"},
        {"302 Found", "", errc::unexpected_answer, "the daemon answered with status 302"},
    };
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(json_answer(rows[client.number()].body, rows[client.number()].status));
    });
    for (const auto& [status, body, code, words] : rows) {
      CAPTURE(std::string(status));
      conversation talk(daemon);
      const auto seen = talk.version();
      CHECK(seen.code == code);
      CHECK(seen.words() == std::string(words));
    }
  }
}

}  // namespace dockline::test
