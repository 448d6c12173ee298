// An image that is run from start to end, and cancelled at one place or another.

#include "dockline/engine/run.hpp"

#include "exchange/attached.hpp"

#include <optional>
#include <string>
#include <vector>

namespace dockline::test {
namespace {

// A run of an image, and a daemon that answers the creation when it may, and lets the container run for ever.
struct endless_run {
  gate asked;       // a container has been asked for
  gate may_answer;  // the answer to that goes out
  gate started;     // the container runs
  fake_daemon daemon{[this](peer& other) { serve(other); }};
  heard what;
  std::optional<attached> client{daemon};

  auto begin(bool remove) {
    engine::run_options options;
    options.container.image = "app:1";
    options.remove = remove;
    return client->begin<engine::run_result>([&](diagnostics& why, auto token) {
      engine::async_run(client->daemon, options, what.sink(), why, std::move(token));
    });
  }
  // What the daemon was asked for, without versions and options, connection by connection. The client is gone then.
  std::string requests() {
    client.reset();
    std::string all;
    for (const seen_connection& connection : daemon.wait()) {
      for (const seen_request& request : connection.requests) {
        const std::string line = request.line();
        const std::string path = line.substr(0, line.find_first_of("? ", line.find(' ') + 1));
        if (!all.empty()) all += ", ";
        all += path.substr(0, path.find(' ') + 1) + path.substr(path.find("/containers"));
      }
    }
    return all;
  }

 private:
  void serve(peer& other) {
    for (;;) {
      const std::string line = other.read_request().line();
      if (line.find("/containers/create") != line.npos) {
        asked.open();
        may_answer.wait();
        other.send(json_answer(R"({"Id":"c1"})", "201 Created"));
      } else if (line.find("/attach") != line.npos) {
        other.send(upgraded);
        other.wait_for_close();
        return;
      } else {
        other.send("HTTP/1.1 204 No Content\r\n\r\n");
        if (line.find("/start") != line.npos) started.open();
      }
    }
  }
};

}  // namespace

TEST_SUITE("exchange/run") {
  TEST_CASE("a run: create, attach, start, read, wait, remove, in that order") {
    gate started;
    fake_daemon daemon([&](peer& client) {
      for (;;) {
        const std::string line = client.read_request().line();
        if (line.find("/containers/create") != line.npos) {
          client.send(json_answer(R"({"Id":"c1","Warnings":["slow disk"]})", "201 Created"));
        } else if (line.find("/attach") != line.npos) {
          client.send(upgraded);
          started.wait();
          client.send(frame(1, "hello\n") + frame(2, "oops\n"));
          return;
        } else if (line.find("/start") != line.npos) {
          client.send("HTTP/1.1 204 No Content\r\n\r\n");
          started.open();
        } else if (line.find("/wait") != line.npos) {
          client.send(json_answer(R"({"StatusCode":3})"));
        } else {
          client.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
      }
    });
    heard what;
    {
      attached talk(daemon);
      engine::run_options options;
      options.container.image = "app:1";
      options.remove = true;
      const auto seen = talk.operation<engine::run_result>([&](diagnostics& why, auto token) {
        engine::async_run(talk.daemon, options, what.sink(), why, std::move(token));
      });
      CHECK(seen.words() == error_code().message());
      CHECK(seen.value.id == "c1");
      CHECK(seen.value.status == 3);
      CHECK(seen.value.warnings == std::vector<std::string>{"slow disk"});
    }
    CHECK(what.out == "hello\n");
    CHECK(what.err == "oops\n");
    // Attaching takes the connection of the creation; the rest shares another one.
    const auto records = daemon.wait(2);
    REQUIRE(records.size() == 2);
    REQUIRE(records[0].requests.size() == 2);
    REQUIRE(records[1].requests.size() == 3);
    CHECK(records[0].requests[0].line() == "POST /v1.41/containers/create HTTP/1.1");
    CHECK(records[0].requests[1].line().starts_with("POST /v1.41/containers/c1/attach?"));
    CHECK(records[1].requests[0].line() == "POST /v1.41/containers/c1/start HTTP/1.1");
    CHECK(records[1].requests[1].line().starts_with("POST /v1.41/containers/c1/wait"));
    CHECK(records[1].requests[2].line().starts_with("DELETE /v1.41/containers/c1?"));
  }

  TEST_CASE("a run that is cancelled kills its container, and removes it if that was asked for") {
    for (const bool remove : {true, false}) {
      CAPTURE(remove);
      endless_run one;
      one.may_answer.open();
      const auto seen = one.begin(remove);
      run_until(one.client->context, one.started);
      REQUIRE(seen->completions == 0);
      one.client->cancel.emit(asio::cancellation_type::terminal);
      const auto ended = one.client->end_of(seen);
      CHECK(ended.code == condition::cancelled);
      const std::string until_then =
          "POST /containers/create, POST /containers/c1/attach, POST /containers/c1/start, POST "
          "/containers/c1/kill";
      CHECK(one.requests() == until_then + (remove ? ", DELETE /containers/c1" : ""));
    }
  }

  TEST_CASE("a container that is just being made when its run is cancelled is removed as well") {
    for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
      CAPTURE(static_cast<int>(type));
      endless_run one;
      const auto seen = one.begin(true);
      run_until(one.client->context, one.asked);
      one.client->cancel.emit(type);
      one.client->context.run_for(20ms);
      REQUIRE(seen->completions == 0);
      one.may_answer.open();
      CHECK(one.client->end_of(seen).code == condition::cancelled);
      CHECK(one.requests() == "POST /containers/create, DELETE /containers/c1");
    }
  }

  TEST_CASE("a second cancellation ends the wait for it, and where it may stay the first one does") {
    for (const bool remove : {true, false}) {
      CAPTURE(remove);
      endless_run one;
      const auto seen = one.begin(remove);
      run_until(one.client->context, one.asked);
      one.client->cancel.emit(asio::cancellation_type::terminal);
      if (remove) {
        one.client->context.run_for(20ms);
        REQUIRE(seen->completions == 0);
        one.client->cancel.emit(asio::cancellation_type::terminal);
      }
      CHECK(one.client->end_of(seen).code == condition::cancelled);
      one.may_answer.open();
      CHECK(one.requests() == "POST /containers/create");
    }
  }

  TEST_CASE("a daemon that does not tell what it made is given up in the end") {
    endless_run one;
    const auto seen = one.begin(true);
    run_until(one.client->context, one.asked);
    const auto began = std::chrono::steady_clock::now();
    one.client->cancel.emit(asio::cancellation_type::terminal);
    CHECK(one.client->end_of(seen).code == condition::cancelled);
    CHECK(std::chrono::steady_clock::now() - began >= 4s);
    one.may_answer.open();
    CHECK(one.requests() == "POST /containers/create");
  }
}

}  // namespace dockline::test
