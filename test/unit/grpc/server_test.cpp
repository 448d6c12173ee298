#include "grpc/server.hpp"

#include "unit/grpc/caller.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace dockline::grpc {
namespace {

asio::awaitable<reply> shout(call, std::string request) {
  for (char& letter : request) letter = static_cast<char>(std::toupper(letter));
  co_return reply(std::move(request));
}

asio::awaitable<status> echo(call made) {
  made.add_trailer("seen", made.path());
  for (;;) {
    auto message = co_await made.read();
    if (!message) co_return status_of(message.error());
    if (!*message) co_return status();
    if (auto written = co_await made.write("<", **message); !written) co_return status_of(written.error());
  }
}

// What a handler went through, for tests that end it from outside.
struct trace {
  int started = 0;
  int over = 0;
  int read = 0;
  int written = 0;
  error_code last;
};

asio::awaitable<status> read_all(std::shared_ptr<trace> what, call made) {
  ++what->started;
  for (;;) {
    auto message = co_await made.read();
    if (!message || !*message) {
      ++what->over;
      what->last = message ? error_code() : message.error();
      co_return status();
    }
    ++what->read;
  }
}

asio::awaitable<status> write_without_end(std::shared_ptr<trace> what, call made) {
  ++what->started;
  const std::string block(10'000, 'x');
  for (;;) {
    auto written = co_await made.write(block);
    if (!written) {
      ++what->over;
      what->last = written.error();
      co_return status_of(written.error());
    }
    ++what->written;
  }
}

service offer(std::shared_ptr<trace> what = std::make_shared<trace>()) {
  service offered;
  offered.add("/t.T/Shout", unary(&shout));
  offered.add("/t.T/Echo", &echo);
  offered.add("/t.T/Read", [what](call made) { return read_all(what, std::move(made)); });
  offered.add("/t.T/Write", [what](call made) { return write_without_end(what, std::move(made)); });
  offered.add("/t.T/Throw", [](call) -> asio::awaitable<status> {
    throw std::runtime_error("thrown");
    co_return status();
  });
  offered.add("/t.T/Refuse", [](call) -> asio::awaitable<status> {
    co_return status(status_code::not_found, "100% \xc3\xa9");
  });
  return offered;
}

}  // namespace

TEST_SUITE("grpc/server") {
  TEST_CASE("a call with one message each way, cut anywhere") {
    for (const std::size_t cut : {1u, 2u, 9u, 1000u}) {
      CAPTURE(cut);
      caller client(offer());
      client.run();
      const auto id = client.call("/t.T/Shout", "hello");
      client.talk(cut);
      CHECK(client.answers[id].messages == std::vector<std::string>{"HELLO"});
      CHECK(client.answers[id].status == "0");
      CHECK(client.answers[id].closed == "NO_ERROR");
      CHECK_FALSE(client.outcome);
      client.serving->close();
      client.talk();
      CHECK(*client.outcome == error_code());
    }
  }

  TEST_CASE("messages in both directions, as they come") {
    caller client(offer());
    client.run();
    const auto id = client.begin("/t.T/Echo");
    for (int i = 0; i < 10; ++i) {
      client.send(id, std::to_string(i));
      client.talk();
      REQUIRE(client.answers[id].messages.back() == "<" + std::to_string(i));
    }
    client.send(id, "");
    client.finish(id);
    client.talk();
    CHECK(client.answers[id].messages.back() == "<");
    CHECK(client.answers[id].status == "0");
    CHECK(client.answers[id].headers == "seen=/t.T/Echo ");
  }

  TEST_CASE("many calls at once, larger than every window") {
    server_options options;
    options.limits.stream_window = 20'000;
    options.limits.send_buffer = 5000;
    h2::peer_limits own;
    own.stream_window = 30'000;
    own.send_buffer = 7000;
    caller client(offer(), options, own);
    client.run();
    std::vector<h2::stream_id> ids;
    for (int i = 0; i < 8; ++i) ids.push_back(client.begin("/t.T/Echo"));
    for (int i = 0; i < 8; ++i) {
      client.send(ids[static_cast<std::size_t>(i)], std::string(100'000, static_cast<char>('a' + i)));
      client.finish(ids[static_cast<std::size_t>(i)]);
    }
    client.talk(1111);
    for (int i = 0; i < 8; ++i) {
      const auto& answer = client.answers[ids[static_cast<std::size_t>(i)]];
      REQUIRE(answer.messages.size() == 1);
      CHECK(answer.messages[0] == "<" + std::string(100'000, static_cast<char>('a' + i)));
      CHECK(answer.status == "0");
    }
  }

  TEST_CASE("a peer that does not read holds a handler back, and other calls go on") {
    const auto what = std::make_shared<trace>();
    server_options options;
    options.limits.send_buffer = 30'000;
    h2::peer_limits own;
    own.stream_window = 50'000;
    caller client(offer(what), options, own);
    client.consumes = false;
    client.run();
    const auto id = client.call("/t.T/Write", "");
    client.talk();
    CHECK(what->written == 7);
    const auto other = client.call("/t.T/Shout", "still here");
    client.talk();
    CHECK(client.answers[other].messages == std::vector<std::string>{"STILL HERE"});
    client.client.consumed(id, 50'000);
    client.talk();
    CHECK(what->written == 12);
    CHECK(what->over == 0);
  }

  TEST_CASE("a handler that does not read holds the peer back") {
    service offered;
    offered.add("/t.T/Sleep", [](call made) -> asio::awaitable<status> {
      asio::steady_timer never(made.get_executor(), asio::steady_timer::time_point::max());
      co_await never.async_wait(no_throw);
      co_return status();
    });
    server_options options;
    options.limits.stream_window = 50'000;
    caller client(offered, options);
    client.run();
    client.talk();
    const auto id = client.begin("/t.T/Sleep");
    client.send_raw(id, std::string(500'000, '\0'));
    client.talk();
    // What went, went into the window and into the client's own buffer.
    CHECK(client.unsent[id].size() >= 500'000 - 50'000 - h2::peer_limits().send_buffer);
  }

  TEST_CASE("what cannot be called says so") {
    const struct {
      std::string path;
      h2::fields extra;
      std::string status;
    } table[] = {
        {"/t.T/None", {}, "12 unknown method /t.T/None"},
        {"/", {}, "12 unknown method /"},
        {"/t.T/Refuse", {}, "5 100% \xc3\xa9"},
        {"/t.T/Throw", {}, "13 thrown"},
        {"/t.T/Shout", {{"grpc-encoding", "gzip"}}, "12 compressed messages are not understood"},
        {"/t.T/Shout", {{"grpc-timeout", "soon"}}, "13 malformed grpc-timeout"},
    };
    for (const auto& row : table) {
      CAPTURE(row.status);
      caller client(offer());
      client.run();
      const auto id = client.call(row.path, "message", row.extra);
      client.talk();
      CHECK(client.answers[id].status == row.status);
      CHECK(client.answers[id].messages.empty());
      CHECK(client.answers[id].closed == "NO_ERROR");
      const auto next = client.call("/t.T/Shout", "on");
      client.talk();
      CHECK(client.answers[next].status == "0");
    }
    caller client(offer());
    client.run();
    h2::fields plain = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
    const auto id = *client.client.submit_request(plain, true);
    client.talk();
    CHECK(client.answers[id].headers == ":status=415 ");
  }

  TEST_CASE("a call of one message has one message") {
    caller client(offer());
    client.run();
    const auto none = client.begin("/t.T/Shout");
    client.finish(none);
    const auto two = client.begin("/t.T/Shout");
    client.send(two, "a");
    client.send(two, "b");
    client.finish(two);
    client.talk();
    CHECK(client.answers[none].status == "13 the call has no message");
    CHECK(client.answers[two].status == "13 the call has more than one message");
  }

  TEST_CASE("messages that cannot be read end their call, whatever the handler says") {
    const struct {
      std::string bytes;
      std::string status;
    } table[] = {
        {std::string("\1\0\0\0\1x", 6), "13 the message is compressed, or is none"},
        {std::string("\0\0\0\0\5half", 9), "14 the call was cut in the middle of a message"},
        {std::string("\0\0\0\4\1", 5), "8 the message is too long"},
    };
    for (const auto& row : table) {
      CAPTURE(row.status);
      server_options options;
      options.longest_message = 1024;
      caller client(offer(), options);
      client.run();
      const auto id = client.begin("/t.T/Read");
      client.send_raw(id, row.bytes);
      client.finish(id);
      client.talk();
      CHECK(client.answers[id].status == row.status);
      const auto next = client.call("/t.T/Shout", "on");
      client.talk();
      CHECK(client.answers[next].status == "0");
    }
  }

  TEST_CASE("a message of 4 MiB is taken where nothing else is said, one more byte is refused by its head") {
    caller client(offer());
    client.run();
    constexpr std::size_t most = std::size_t{4} << 20;
    const auto fits = client.call("/t.T/Shout", std::string(most, 'a'));
    client.talk();
    // Compared here, since what differs would be printed.
    const bool same = client.answers[fits].messages.size() == 1 &&
                      client.answers[fits].messages[0] == std::string(most, 'A');
    CHECK(same);
    CHECK(client.answers[fits].status == "0");
    // Nothing but its head is sent.
    const auto longer = client.begin("/t.T/Shout");
    const auto head = message_head(most + 1);
    client.send_raw(longer, std::string_view(head.data(), head.size()));
    client.talk();
    CHECK(client.answers[longer].status.starts_with("8 "));
  }

  TEST_CASE("a reset ends the handler's wait, and the next call comes") {
    const auto what = std::make_shared<trace>();
    caller client(offer(what));
    client.run();
    for (const char* path : {"/t.T/Read", "/t.T/Write"}) {
      client.consumes = false;
      const auto id = client.begin(path);
      client.send(id, "m");
      client.talk();
      client.client.reset(id, h2::reason::cancel);
      client.talk();
    }
    CHECK(what->started == 2);
    CHECK(what->over == 2);
    CHECK(what->last == condition::cancelled);
    client.consumes = true;
    const auto next = client.call("/t.T/Shout", "on");
    client.talk();
    CHECK(client.answers[next].status == "0");
  }

  TEST_CASE("a deadline ends the call") {
    const auto what = std::make_shared<trace>();
    caller client(offer(what));
    client.run();
    const auto id = client.begin("/t.T/Read", {{"grpc-timeout", "0n"}});
    client.talk();
    CHECK(what->last == condition::cancelled);
    CHECK(client.answers[id].status == "4 the deadline has passed");
    const auto late = client.begin("/t.T/Read", {{"grpc-timeout", "99999999H"}});
    client.send(late, "m");
    client.finish(late);
    client.talk();
    CHECK(client.answers[late].status == "0");
  }

  TEST_CASE("handlers see the metadata of the caller, and not the protocol's own") {
    service offered;
    std::string seen;
    offered.add("/t.T/Tell", [&seen](call made) -> asio::awaitable<status> {
      for (const auto& [name, value] : made.request_metadata().pairs()) seen += name + "=" + value + ";";
      co_return status();
    });
    caller client(offered);
    client.run();
    client.call("/t.T/Tell", "",
                {{"dir-name", "context"},
                 {"a", "1"},
                 {"a", "2"},
                 {"x-bin", "AQ==,Ag"},
                 {"grpc-timeout", "10S"},
                 {"user-agent", "test"}});
    client.talk();
    CHECK(seen == std::string("dir-name=context;a=1;a=2;x-bin=\1;x-bin=\2;"));
  }

  TEST_CASE("the peer goes away: every handler ends, and it is said") {
    const auto what = std::make_shared<trace>();
    caller client(offer(what));
    client.consumes = false;
    client.run();
    client.begin("/t.T/Read");
    client.begin("/t.T/Write");
    client.begin("/t.T/Echo");
    client.talk();
    CHECK(what->started == 2);
    client.wire->end();
    client.talk();
    CHECK(what->over == 2);
    CHECK(what->last == condition::cancelled);
    REQUIRE(client.outcome);
    CHECK(*client.outcome == errc::connection_lost);
    CHECK(client.why.client_message() == "the other side closed the connection");
    CHECK(client.wire->closed);
  }

  TEST_CASE("closing, and cancelling, ends every handler") {
    for (const bool cancel : {false, true}) {
      const auto what = std::make_shared<trace>();
      caller client(offer(what));
      client.consumes = false;
      client.run();
      client.begin("/t.T/Read");
      client.begin("/t.T/Write");
      client.talk();
      if (cancel) {
        client.stop.emit(asio::cancellation_type::total);
      } else {
        client.serving->close();
      }
      client.talk();
      CHECK(what->over == 2);
      REQUIRE(client.outcome);
      CHECK(*client.outcome == (cancel ? aborted() : error_code()));
      CHECK(client.wire->closed);
    }
  }

  TEST_CASE("a peer that breaks the rules is told so, and hung up on") {
    caller client(offer());
    client.run();
    client.talk();
    client.wire->give(std::string("\0\0\1\0\0\0\0\0\7x", 10));
    client.talk();
    REQUIRE(client.outcome);
    CHECK(*client.outcome == errc::malformed_http2);
    CHECK(client.why.client_message().find("breaks the rules of HTTP/2") != std::string::npos);
    CHECK(client.goaway.find("PROTOCOL_ERROR") != std::string::npos);
    CHECK(client.wire->closed);
  }

  TEST_CASE("a peer that does not speak HTTP/2, whether it reads what it is told or not") {
    for (const bool reads : {true, false}) {
      server_options options;
      options.farewell = std::chrono::milliseconds(1);
      caller client(offer(), options, {}, "HTTP/1.1 200 OK\r\n\r\n");
      if (!reads) client.wire->room = 0;
      client.run();
      client.talk();
      client.context.restart();
      client.context.run();
      REQUIRE(client.outcome);
      CHECK(*client.outcome == errc::malformed_http2);
      CHECK(client.why.client_message() == "the other side does not speak HTTP/2");
      CHECK(client.wire->closed);
    }
  }

  TEST_CASE("a peer that ends the connection with an error has its words told") {
    caller client(offer());
    client.run();
    client.talk();
    client.wire->give(std::string("\0\0\12\7\0\0\0\0\0\0\0\0\0\0\0\0\13no", 19));
    client.talk();
    REQUIRE(client.outcome);
    CHECK(*client.outcome == errc::connection_lost);
    CHECK(client.why.client_message() == "the other side ended the connection: ENHANCE_YOUR_CALM, no");
  }

  TEST_CASE("calls that are opened and reset without end do not pile up") {
    service offered;
    int running = 0;
    int most = 0;
    // Takes its time to stop: what it waits for knows no cancellation.
    offered.add("/t.T/Slow", [&](call) -> asio::awaitable<status> {
      most = std::max(most, ++running);
      auto start = [](auto done) { asio::post(std::move(done)); };
      co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
      --running;
      co_return status();
    });
    server_options options;
    options.limits.concurrent_streams = 4;
    caller client(offered, options);
    client.run();
    client.talk();
    for (int round = 0; round < 20; ++round) {
      std::string out;
      for (int i = 0; i < 4; ++i) client.client.reset(client.begin("/t.T/Slow"), h2::reason::cancel);
      client.talk();
    }
    CHECK(most <= 8);
    CHECK(running == 0);
  }

  TEST_CASE("every read and write of the connection may fail") {
    int operations = 0;
    for (int step = 0;; ++step) {
      CAPTURE(step);
      const auto what = std::make_shared<trace>();
      caller client(offer(what));
      client.wire->fail_at = step;
      client.wire->largest_read = 50;
      client.run();
      client.call("/t.T/Shout", "hello");
      client.begin("/t.T/Read");
      client.talk();
      operations = client.wire->operations;
      if (!client.outcome) break;
      CHECK(*client.outcome == errc::connection_lost);
      CHECK(client.why.client_message().starts_with("the other side closed the connection ("));
      CHECK(what->over == what->started);
      CHECK(client.wire->closed);
      REQUIRE(step < 100);
    }
    CHECK(operations > 6);
  }

  TEST_CASE("with its loop everything goes") {
    const auto what = std::make_shared<trace>();
    {
      caller client(offer(what));
      client.consumes = false;
      client.run();
      client.begin("/t.T/Read");
      client.begin("/t.T/Write");
      client.begin("/t.T/Echo", {{"grpc-timeout", "100S"}});
      client.talk();
      CHECK(what->started == 2);
      CHECK(what.use_count() > 1);
    }
    CHECK(what.use_count() == 1);
  }
}

}  // namespace dockline::grpc
