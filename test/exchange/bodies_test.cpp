// A streamed body: sent while the answer is read, at the daemon's pace, and never ended properly when it is
// not whole.

#include "exchange/conversation.hpp"

namespace dockline::test {
namespace {

constexpr std::uint64_t large = std::uint64_t{64} << 20;
constexpr std::uint64_t block = 256 * 1024;

auto source_of(conversation& talk, std::uint64_t size) {
  return std::make_shared<scripted_source>(talk.context.get_executor(), size);
}

}  // namespace

TEST_SUITE("exchange/bodies") {
  TEST_CASE("a body goes out in chunks, whole, and an empty one ends at once") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(chunked_answer({built}));
      client.wait_for_close();
    });
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, block, block + 1, 10 * block + 7}) {
      conversation talk(daemon);
      CHECK(talk.build(size).value.id == image_id);
    }
    const auto records = daemon.wait(5);
    REQUIRE(records.size() == 5);
    CHECK(records[0].requests[0].body_bytes == 0);
    CHECK(records[1].requests[0].body == "x");
    CHECK(records[4].requests[0].body_bytes == 10 * block + 7);
    for (const auto& record : records) {
      const auto& request = record.requests[0];
      CHECK(request.complete);
      CHECK(request.line() == "POST /v1.41/build?forcerm=1&version=1 HTTP/1.1");
      CHECK(request.head.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
      CHECK(request.head.find("Expect") == std::string::npos);
      CHECK(record.after.empty());
    }
  }

  TEST_CASE("a body of known size goes out as it is") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(chunked_answer({built}));
      client.wait_for_close();
    });
    {
      conversation talk(daemon);
      auto source = source_of(talk, 3 * block);
      source->claimed = 3 * block;
      CHECK(talk.build(source).value.id == image_id);
    }
    const auto records = daemon.wait();
    CHECK(records[0].requests[0].head.find("\r\nContent-Length: 786432\r\n") != std::string::npos);
    CHECK(records[0].requests[0].body_bytes == 3 * block);
    CHECK(records[0].after.empty());
  }

  TEST_CASE("a source that has less or more than it said is an error; nothing is sent beyond its word") {
    fake_daemon daemon([](peer& client) {
      client.read_head();
      client.wait_for_close();
    });
    for (const std::uint64_t real : {std::uint64_t{999}, std::uint64_t{1001}, 3 * block}) {
      conversation talk(daemon);
      auto source = source_of(talk, real);
      source->claimed = 1000;
      const auto seen = talk.build(source);
      CHECK(seen.code == errc::file_changed);
      CHECK(seen.words().find("1000 were announced") != std::string::npos);
    }
    for (const auto& record : daemon.wait(3)) CHECK(record.after.size() <= 1000);
  }

  TEST_CASE("an early refusal wins over the body that cannot be sent") {
    // Closed, reset with the body unread, or kept open without reading: all of it while 64 MB are on their
    // way.
    fake_daemon daemon([](peer& client) {
      client.read_head();
      if (client.number() % 4 == 1) client.read_raw(1 << 20);
      client.send(json_answer(R"({"message":"invalid tag \"A\""})",
                              client.number() < 4 ? "400 Bad Request" : "500 Internal Server Error"));
      if (client.number() % 4 == 2) client.half_close();
      if (client.number() % 4 >= 2) client.pause(20ms);
      if (client.number() % 4 == 3) client.wait_for_close();
    });
    for (int round = 0; round < 8; ++round) {
      CAPTURE(round);
      conversation talk(daemon);
      auto source = source_of(talk, large);
      const auto seen = talk.build(source);
      CHECK(seen.code == (round < 4 ? errc::bad_request : errc::service_failed));
      CHECK(seen.words() == "invalid tag \"A\"");
      CHECK(source->given < large);
      // The source is let go with the operation.
      CHECK(source.use_count() == 1);
    }
  }

  TEST_CASE("words of which only the end of the connection says that they are whole") {
    fake_daemon daemon([](peer& client) {
      client.read_head();
      client.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{\"message\":\"no\"}");
    });
    conversation talk(daemon);
    const auto seen = talk.build(large);
    CHECK(seen.code == errc::bad_request);
    CHECK(seen.words() == "no");
  }

  TEST_CASE("an early failure inside a 200 does as well, and so does an early success") {
    fake_daemon daemon([](peer& client) {
      client.read_head();
      client.send(chunked_answer(
          {client.number() == 0 ? R"({"errorDetail":{"code":7,"message":"it failed"}})" : built}));
      client.pause(10ms);
    });
    conversation talk(daemon);
    auto seen = talk.build(large);
    CHECK(seen.code == errc::build_failed);
    CHECK(seen.words() == "exit code 7: it failed");
    seen = talk.build(large);
    CHECK(seen.value.id == image_id);
    CHECK(seen.code == error_code());
  }

  TEST_CASE("a connection that is closed while the body is sent, without a word") {
    fake_daemon daemon([](peer& client) {
      client.read_raw(1 << 20);
      if (client.number() == 1) client.half_close();
      if (client.number() == 1) client.pause(20ms);
    });
    for (int round = 0; round < 2; ++round) {
      conversation talk(daemon);
      const auto seen = talk.build(large);
      CHECK(seen.code == errc::connection_lost);
      CHECK(seen.words().starts_with("the daemon closed the connection without an answer"));
    }
  }

  TEST_CASE("a daemon that does not read holds the source back") {
    gate go_on;
    fake_daemon daemon([&](peer& client) {
      client.read_head();
      go_on.wait();
      client.read_body();
      client.send(chunked_answer({built}));
    });
    conversation talk(daemon);
    auto source = source_of(talk, large);
    const auto seen = talk.begin_build(source);
    talk.context.run_for(100ms);
    const std::uint64_t held_at = source->given;
    talk.context.run_for(50ms);
    CHECK(source->given == held_at);
    // What the script took with the head, what a Unix socket holds at most (twice its buffer of 208 KiB), the
    // block on its way, and the one behind it.
    CHECK(held_at <= block + 2 * 212'992 + 2 * block);
    go_on.open();
    talk.run();
    CHECK(seen->value.id == image_id);
    CHECK(source->given == large);
  }

  TEST_CASE("a daemon that reads slowly gets all of it") {
    fake_daemon daemon([](peer& client) {
      client.read_head();
      for (int i = 1; i < 20; ++i) {
        client.read_raw(static_cast<std::size_t>(i) * 50'000);
        client.pause(2ms);
      }
      client.read_body();
      client.send(chunked_answer({built}));
    });
    conversation talk(daemon);
    CHECK(talk.build(1'500'000).value.id == image_id);
    CHECK(daemon.wait()[0].requests[0].body_bytes == 1'500'000);
  }

  TEST_CASE("a source of small reads, as slow as it likes") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(chunked_answer({built}));
    });
    conversation talk(daemon);
    auto source = source_of(talk, 999);
    source->largest = 1;
    CHECK(talk.build(source).value.id == image_id);
    CHECK(daemon.wait()[0].requests[0].body_bytes == 999);
  }

  TEST_CASE("a source that fails in the middle has the word, and its body never ends properly") {
    fake_daemon daemon([](peer& client) { client.read_request(); });
    for (const std::uint64_t before : {std::uint64_t{0}, std::uint64_t{5}, 5 * block}) {
      conversation talk(daemon);
      auto source = source_of(talk, before);
      source->failure = errc::file_changed;
      const auto seen = talk.build(source);
      CHECK(seen.code == errc::file_changed);
      CHECK(seen.words() == "the source's own words");
    }
    conversation talk(daemon);
    auto source = source_of(talk, 5);
    source->failure = boost::asio::error::operation_aborted;
    const auto seen = talk.build(source);
    CHECK(seen.code == condition::cancelled);
    CHECK(seen.words() == "the source's own words");
    for (const auto& record : daemon.wait(4)) {
      CHECK_FALSE(record.script_done);
      CHECK(record.client_closed);
      CHECK_FALSE(record.requests[0].complete);
    }
  }

  TEST_CASE("a source or a listener that throws ends the build instead of leaving both sides waiting") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.wait_for_close();
    });
    {
      conversation talk(daemon);
      auto source = source_of(talk, 3 * block);
      source->throws = true;
      CHECK(talk.build(source).code);
    }
    {
      conversation talk(daemon);
      const auto seen = talk.build(source_of(talk, 300 * block), [](const progress::event&) {
        throw std::runtime_error("a listener that breaks its promise");
      });
      CHECK(seen.code);
    }
    for (const auto& record : daemon.wait(2)) CHECK(record.client_closed);
  }

  TEST_CASE("the context's progress is told, the last of it complete") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(chunked_answer({built}));
    });
    conversation talk(daemon);
    progress::context_progress last;
    int after_complete = 0;
    const auto seen = talk.build(source_of(talk, 3 * block), [&](const progress::event& what) {
      if (const auto* now = std::get_if<progress::context_progress>(&what.body)) {
        if (last.complete) ++after_complete;
        CHECK(now->bytes_sent >= last.bytes_sent);
        last = *now;
      }
    });
    CHECK(seen.code == error_code());
    CHECK(last.complete);
    CHECK(last.bytes_sent == 3 * block);
    CHECK(after_complete == 0);
  }
}

}  // namespace dockline::test
