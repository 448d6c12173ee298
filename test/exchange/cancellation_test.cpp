// Cancelled at whatever it waits for, an operation completes once with operation_aborted, the daemon sees the
// connection closed, and the client goes on working. Destroyed at whatever it waits for, nothing is left.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/exec.hpp"

#include "exchange/conversation.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

namespace dockline::test {
namespace {

constexpr std::array<asio::cancellation_type, 3> every_type = {
    asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total};

// Where an operation may be when it is stopped.
enum class stuck {
  source_reading,   // the source has nothing yet
  body_sending,     // the daemon does not read
  head_waiting,     // the daemon is silent
  head_begun,       // half of the head came
  body_begun,       // half of the answer came
  refusal_reading,  // half of a refusal came
};
constexpr std::array<stuck, 6> every_place = {stuck::source_reading, stuck::body_sending,
                                              stuck::head_waiting,   stuck::head_begun,
                                              stuck::body_begun,     stuck::refusal_reading};

// Serves one connection up to the place, and the others of it whole.
fake_daemon::script stuck_at(stuck place, gate& there) {
  return [place, &there](peer& client) {
    if (client.number() > 0) {
      client.read_request();
      client.send(chunked_answer({built}));
      client.wait_for_close();
      return;
    }
    client.read_head();
    switch (place) {
      case stuck::source_reading: break;
      case stuck::body_sending: client.read_raw(300'000); break;
      case stuck::head_waiting: client.read_body(); break;
      case stuck::head_begun:
        client.read_body();
        client.send("HTTP/1.1 200 OK\r\nContent-");
        break;
      case stuck::body_begun:
        client.read_body();
        client.send("HTTP/1.1 200 OK\r\n\r\n{\"stream\":\"Step 1/2 : FROM scratch\"}\r\n{\"str");
        break;
      case stuck::refusal_reading:
        client.read_body();
        client.send("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"mess");
        break;
    }
    if (place != stuck::source_reading && place != stuck::body_sending) client.wait_until_read();
    there.open();
    client.wait_for_close();
  };
}

std::shared_ptr<scripted_source> source_for(stuck place, const asio::any_io_executor& executor) {
  auto source = std::make_shared<scripted_source>(
      executor, place == stuck::body_sending ? std::uint64_t{64} << 20 : std::uint64_t{1000});
  source->hangs = place == stuck::source_reading;
  return source;
}

}  // namespace

TEST_SUITE("exchange/cancellation") {
  TEST_CASE("a build is cancelled at every place, by every type") {
    for (const stuck place : every_place) {
      // A machine that is busy elsewhere may hold up one of them, not all.
      auto soonest = std::chrono::steady_clock::duration::max();
      CAPTURE(static_cast<int>(place));
      for (const auto type : every_type) {
        CAPTURE(static_cast<int>(type));
        gate there;
        fake_daemon daemon(stuck_at(place, there));
        conversation talk(daemon);
        auto source = source_for(place, talk.context.get_executor());
        const auto seen = talk.begin_build(source);
        run_until(talk.context, there);
        REQUIRE(seen->completions == 0);

        const auto before = std::chrono::steady_clock::now();
        talk.cancel.emit(type);
        // Nothing else keeps the loop running: it comes back as soon as all is over.
        talk.run();
        soonest = std::min(soonest, std::chrono::steady_clock::now() - before);
        CHECK(seen->completions == 1);
        CHECK(seen->code == condition::cancelled);
        CHECK(seen->value.id.empty());
        CHECK(source.use_count() == 1);
        if (place == stuck::source_reading) CHECK(source->cancelled == 1);
        const auto records = daemon.wait();
        REQUIRE(records.size() == 1);
        CHECK(records[0].client_closed);

        CHECK(talk.build().value.id == image_id);
      }
      CHECK(soonest <= prompt);
    }
  }

  TEST_CASE("before the loop has run") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(version_answer);
    });
    for (const auto type : every_type) {
      conversation talk(daemon);
      const auto seen = talk.begin_version();
      talk.cancel.emit(type);
      talk.run();
      CHECK(seen->completions == 1);
      CHECK(seen->code == condition::cancelled);
    }
    // It may have connected, since that takes no time, but nothing was asked.
    for (const auto& record : daemon.wait(0)) CHECK(record.requests.empty());
    conversation talk(daemon);
    CHECK(talk.version().value.version == "1.2.3");
  }

  TEST_CASE("at any moment of an ordinary operation") {
    fake_daemon daemon([](peer& client) {
      for (;;) {
        client.read_request();
        client.send(version_answer);
      }
    });
    // Handlers of the loop are run one by one: after each number of them once.
    int completed = 0;
    for (int steps = 0; completed < 3 && steps < 200; ++steps) {
      CAPTURE(steps);
      engine::client_options options = options_for(daemon.host());
      options.api_version.clear();
      conversation talk(options);
      const auto seen = talk.begin_version();
      for (int i = 0; i < steps; ++i) talk.context.run_one_for(patience);
      completed += seen->completions;
      talk.cancel.emit(asio::cancellation_type::terminal);
      talk.run();
      REQUIRE(seen->completions == 1);
      REQUIRE((!seen->code || seen->code == condition::cancelled));
      REQUIRE(seen->value.version == (seen->code ? "" : "1.2.3"));
      REQUIRE(talk.version().value.version == "1.2.3");
    }
    CHECK(completed == 3);
  }

  TEST_CASE("cancelled twice, and again when it is over") {
    gate there;
    fake_daemon daemon(stuck_at(stuck::head_waiting, there));
    conversation talk(daemon);
    const auto seen = talk.begin_build(source_for(stuck::head_waiting, talk.context.get_executor()));
    run_until(talk.context, there);
    talk.cancel.emit(asio::cancellation_type::total);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.run();
    CHECK(seen->completions == 1);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.run();
    CHECK(seen->completions == 1);
  }

  TEST_CASE("the client goes away while operations run; they go on") {
    gate there;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      there.wait();
      client.send(version_answer);
    });
    asio::io_context context;
    std::vector<error_code> ends;
    {
      engine::client client(context.get_executor(), options_for(daemon.host()));
      for (int i = 0; i < 3; ++i)
        engine::async_version(client,
                              [&](error_code code, const engine::version_result&) { ends.push_back(code); });
    }
    context.run_for(20ms);
    there.open();
    context.run_for(patience);
    CHECK(ends == std::vector<error_code>(3));
  }

  TEST_CASE("the loop goes away at every place: nothing completes, nothing is left") {
    for (const stuck place : every_place) {
      CAPTURE(static_cast<int>(place));
      gate there;
      fake_daemon daemon(stuck_at(place, there));
      std::weak_ptr<scripted_source> source;
      std::weak_ptr<outcome<engine::built_image>> seen;
      {
        conversation talk(daemon);
        auto mine = source_for(place, talk.context.get_executor());
        source = mine;
        seen = talk.begin_build(std::move(mine));
        run_until(talk.context, there);
        CHECK(seen.lock()->completions == 0);
      }
      CHECK(seen.expired());
      CHECK(source.expired());
      CHECK(daemon.wait()[0].client_closed);
    }
  }

  TEST_CASE("a hundred at once on one client, half of them cancelled") {
    fake_daemon daemon([](peer& client) {
      for (;;) {
        client.read_request();
        client.pause(5ms);
        client.send(version_answer);
      }
    });
    conversation talk(daemon);
    std::vector<asio::cancellation_signal> signals(100);
    std::vector<outcome<engine::version_result>> ends(100);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      engine::async_version(
          talk.daemon, ends[i].why,
          asio::bind_cancellation_slot(signals[i].slot(),
                                       [&end = ends[i]](error_code code, engine::version_result what) {
                                         ++end.completions;
                                         end.code = code;
                                         end.value = std::move(what);
                                       }));
    }
    talk.context.run_for(2ms);
    for (std::size_t i = 0; i < ends.size(); i += 2) signals[i].emit(asio::cancellation_type::terminal);
    talk.run();
    for (std::size_t i = 0; i < ends.size(); ++i) {
      CAPTURE(i);
      CHECK(ends[i].completions == 1);
      if (i % 2 != 0) CHECK(ends[i].value.version == "1.2.3");
      if (ends[i].code) CHECK(ends[i].code == condition::cancelled);
    }
    CHECK(talk.version().value.version == "1.2.3");
  }

  // Its container would be told to end it, or to take away what was unpacked, by requests of their own.
  TEST_CASE(
      "a program that was started goes on, and what was unpacked stays: a cancellation asks for nothing") {
    for (const bool unpacks : {false, true}) {
      CAPTURE(unpacks);
      for (const auto type : every_type) {
        CAPTURE(static_cast<int>(type));
        gate there;
        fake_daemon daemon([&](peer& client) {
          if (client.number() > 0) {
            client.read_request();
            client.send(version_answer);
          } else {
            client.read_head();
            if (unpacks) client.read_raw(1000);
            there.open();
          }
          client.wait_for_close();
        });
        {
          conversation talk(daemon);
          auto tar = std::make_shared<scripted_source>(talk.context.get_executor(), 1000);
          tar->hangs = true;
          int completions = 0;
          error_code code;
          const auto ends = [&](error_code seen, auto...) {
            ++completions;
            code = seen;
          };
          if (unpacks)
            engine::async_container_archive_put(talk.daemon, "c1", "/", tar, engine::container_put_options(),
                                                asio::bind_cancellation_slot(talk.cancel.slot(), ends));
          else
            engine::async_exec_start(talk.daemon, "e1", false,
                                     asio::bind_cancellation_slot(talk.cancel.slot(), ends));
          run_until(talk.context, there);
          REQUIRE(completions == 0);
          talk.cancel.emit(type);
          talk.run();
          CHECK(completions == 1);
          CHECK(code == condition::cancelled);
          CHECK(talk.version().value.version == "1.2.3");
        }
        const auto records = daemon.wait(2);
        REQUIRE(records.size() == 2);
        CHECK(records[0].client_closed);
        REQUIRE(records[0].requests.size() == 1);
        CHECK(records[0].requests[0].line() == (unpacks ? "PUT /v1.41/containers/c1/archive?path=%2F HTTP/1.1"
                                                        : "POST /v1.41/exec/e1/start HTTP/1.1"));
        // The end of the tar, which the daemon would take for the whole of it, did not come.
        CHECK(records[0].after.find("\r\n0\r\n") == std::string::npos);
        REQUIRE(records[1].requests.size() == 1);
        CHECK(records[1].requests[0].line() == "GET /v1.41/version HTTP/1.1");
      }
    }
  }
}

}  // namespace dockline::test
