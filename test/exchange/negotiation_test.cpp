// Which API version is spoken: one ping for all, and a daemon that refuses the version after all.

#include "dockline/engine/containers.hpp"

#include "exchange/conversation.hpp"

#include <vector>

namespace dockline::test {
namespace {

engine::client_options negotiating(const fake_daemon& daemon) {
  engine::client_options options = options_for(daemon.host());
  options.api_version.clear();
  return options;
}

std::string pong(const std::string& version) {
  return "HTTP/1.1 200 OK\r\nApi-Version: " + version + "\r\nContent-Length: 2\r\n\r\nOK";
}

// dockerd's refusals; 28 says the second one without JSON.
std::string too_new(const std::string& version, const std::string& newest) {
  return json_answer("{\"message\":\"client version " + version +
                         " is too new. Maximum supported API version is " + newest + "\"}\n",
                     "400 Bad Request");
}
std::string too_old(const std::string& version, const std::string& oldest) {
  const std::string words = "client version " + version + " is too old. Minimum supported API version is " +
                            oldest + ", please upgrade your client to a newer version\n";
  return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
         std::to_string(words.size()) + "\r\n\r\n" + words;
}

// Speaks the versions from `oldest` to `newest`, and says of itself in a ping what it likes.
fake_daemon::script versions(std::string claimed, int oldest, int newest) {
  return [=](peer& client) {
    for (;;) {
      const std::string line = client.read_request().line();
      if (line.find("/_ping") != line.npos) {
        client.send(pong(claimed));
        continue;
      }
      const std::size_t at = line.find("/v1.") + 4;
      const int minor = std::stoi(line.substr(at));
      const std::string spoken = "1." + std::to_string(minor);
      if (minor > newest) {
        client.send(too_new(spoken, "1." + std::to_string(newest)));
      } else if (minor < oldest) {
        client.send(too_old(spoken, "1." + std::to_string(oldest)));
      } else if (line.find("/build") != line.npos) {
        client.send(chunked_answer({built}));
      } else if (line.find("/create") != line.npos) {
        client.send(json_answer(R"({"Id":"c1","Warnings":[]})", "201 Created"));
      } else {
        client.send(version_answer);
      }
    }
  };
}

// The request lines of all connections, in the order in which each of them saw them.
std::vector<std::string> lines_of(fake_daemon& daemon) {
  std::vector<std::string> lines;
  for (const auto& record : daemon.wait()) {
    for (const auto& request : record.requests) lines.push_back(request.line());
  }
  return lines;
}

}  // namespace

TEST_SUITE("exchange/negotiation") {
  TEST_CASE("the newest version of both sides, asked for once") {
    const std::vector<std::pair<const char*, const char*>> rows = {
        {"1.41", "1.41"}, {"1.99", "1.51"}, {"1.24", "1.24"}};
    for (const auto& [claimed, spoken] : rows) {
      fake_daemon daemon(versions(claimed, 24, 51));
      {
        conversation talk(negotiating(daemon));
        CHECK(talk.version().value.version == "1.2.3");
        CHECK(talk.version().value.version == "1.2.3");
      }
      const std::string asked = std::string("GET /v") + spoken + "/version HTTP/1.1";
      CHECK(lines_of(daemon) == std::vector<std::string>{"GET /_ping HTTP/1.1", asked, asked});
    }
  }

  TEST_CASE("operations that start at once share one ping") {
    fake_daemon daemon(versions("1.41", 24, 41));
    {
      conversation talk(negotiating(daemon));
      std::vector<std::shared_ptr<outcome<engine::version_result>>> all;
      for (int i = 0; i < 20; ++i) {
        auto seen = std::make_shared<outcome<engine::version_result>>();
        engine::async_version(talk.daemon, seen->why, [seen](error_code code, engine::version_result what) {
          ++seen->completions;
          seen->code = code;
          seen->value = std::move(what);
        });
        all.push_back(seen);
      }
      talk.run();
      for (const auto& one : all) {
        CHECK(one->completions == 1);
        CHECK(one->value.version == "1.2.3");
      }
    }
    int pings = 0;
    int asked = 0;
    for (const auto& line : lines_of(daemon)) (line.find("/_ping") != line.npos ? pings : asked)++;
    CHECK(pings == 1);
    CHECK(asked == 20);
  }

  TEST_CASE("whoever is cancelled while the ping is out takes nothing from the others") {
    gate asked;
    gate go_on;
    fake_daemon daemon([&](peer& client) {
      if (client.number() == 0) {
        client.read_request();
        asked.open();
        go_on.wait();
        client.send(pong("1.41"));
      }
      for (;;) {
        client.read_request();
        client.send(version_answer);
      }
    });
    conversation talk(negotiating(daemon));
    const auto first = talk.begin_version();
    auto second = std::make_shared<outcome<engine::version_result>>();
    engine::async_version(talk.daemon, second->why, [second](error_code code, engine::version_result what) {
      ++second->completions;
      second->code = code;
      second->value = std::move(what);
    });
    while (!asked.wait(0ms)) talk.context.run_for(1ms);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.context.run_for(20ms);
    CHECK(first->completions == 1);
    CHECK(first->code == condition::cancelled);
    CHECK(second->completions == 0);
    go_on.open();
    talk.run();
    CHECK(second->value.version == "1.2.3");
  }

  TEST_CASE("when all are cancelled the ping is as well, and the next operation asks anew") {
    gate asked;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      if (client.number() == 0) {
        asked.open();
        client.wait_for_close();
        return;
      }
      client.send(pong("1.41"));
      client.read_request();
      client.send(version_answer);
    });
    conversation talk(negotiating(daemon));
    const auto seen = talk.begin_version();
    while (!asked.wait(0ms)) talk.context.run_for(1ms);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.run();
    CHECK(seen->code == condition::cancelled);
    CHECK(daemon.wait()[0].client_closed);
    CHECK(talk.version().value.version == "1.2.3");
  }

  TEST_CASE("a ping that fails is the failure of each, and is not remembered") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      if (client.number() == 0) {
        client.send(json_answer(R"({"message":"not now"})", "503 Service Unavailable"));
        return;
      }
      client.send(pong("1.41"));
      client.read_request();
      client.send(version_answer);
    });
    conversation talk(negotiating(daemon));
    const auto first = talk.begin_version();
    const auto second = talk.begin_version();
    talk.run();
    CHECK(first->words() == "not now");
    CHECK(second->words() == "not now");
    CHECK(second->code == errc::service_failed);
    CHECK(talk.version().value.version == "1.2.3");
  }

  TEST_CASE("a refused version is replaced by the one that the daemon offers, in JSON or in plain text") {
    struct row {
      const char* claimed;
      int oldest;
      int newest;
      const char* spoken;
    };
    // A daemon behind a proxy that answers pings itself; one that was replaced by an older or newer one.
    const std::vector<row> rows = {
        {"1.51", 24, 41, "1.41"}, {"1.30", 44, 60, "1.44"}, {"1.51", 12, 24, "1.24"}};
    for (const auto& [claimed, oldest, newest, spoken] : rows) {
      fake_daemon daemon(versions(claimed, oldest, newest));
      {
        conversation talk(negotiating(daemon));
        CHECK(talk.version().words() == error_code().message());
        CHECK(talk.version().value.version == "1.2.3");
      }
      const std::string end = "/version HTTP/1.1";
      CHECK(lines_of(daemon) == std::vector<std::string>{"GET /_ping HTTP/1.1",
                                                         std::string("GET /v") + claimed + end,
                                                         std::string("GET /v") + spoken + end,
                                                         std::string("GET /v") + spoken + end});
    }
  }

  TEST_CASE("it is repeated once, and not at all with a version that the caller chose") {
    int refused = 0;
    fake_daemon daemon([&](peer& client) {
      for (;;) {
        client.read_request();
        ++refused;
        client.send(too_new("1.41", "1.40"));
      }
    });
    {
      conversation talk(daemon);
      const auto seen = talk.version();
      CHECK(seen.code == errc::bad_request);
      CHECK(seen.words() == "client version 1.41 is too new. Maximum supported API version is 1.40");
      CHECK(refused == 1);
    }
    int number = 0;
    fake_daemon fickle([&](peer& client) {
      client.read_request();
      client.send(pong("1.41"));
      for (;;) {
        client.read_request();
        ++number;
        client.send(too_new("1." + std::to_string(42 - number), "1." + std::to_string(41 - number)));
      }
    });
    conversation talk(negotiating(fickle));
    const auto seen = talk.version();
    CHECK(seen.code == errc::bad_request);
    CHECK(seen.words() == "client version 1.40 is too new. Maximum supported API version is 1.39");
    CHECK(number == 2);
  }

  TEST_CASE("versions that this library does not know are refused, naming both sides") {
    {
      fake_daemon daemon(versions("1.51", 60, 70));
      conversation talk(negotiating(daemon));
      const auto seen = talk.version();
      CHECK(seen.code == errc::version_too_old);
      CHECK(seen.code == condition::unsupported);
      CHECK(seen.why.client_message() == "the daemon speaks API 1.60 and newer, this library 1.24 to 1.51");
    }
    fake_daemon daemon(versions("1.40", 12, 20));
    conversation talk(negotiating(daemon));
    const auto seen = talk.version();
    CHECK(seen.code == errc::version_too_old);
    CHECK(seen.why.client_message() == "the daemon speaks API 1.20 and older, this library 1.24 to 1.51");
  }

  TEST_CASE("what the other version lacks is an error that names both, and is not sent without it") {
    fake_daemon daemon(versions("1.51", 24, 40));
    conversation talk(negotiating(daemon));
    engine::container_options wanted;
    wanted.image = "app";
    wanted.platform = "linux/arm64";
    const auto seen = talk.operation<engine::container_created>([&](diagnostics& why, auto token) {
      engine::async_container_create(talk.daemon, wanted, why, std::move(token));
    });
    CHECK(seen.code == errc::unsupported_parameter);
    CHECK(seen.words() == "the platform of a container needs API 1.41, this daemon speaks 1.40");
    CHECK(talk.version().value.version == "1.2.3");
  }

  TEST_CASE("a streamed body is not sent twice; the next operation has the right version") {
    fake_daemon daemon(versions("1.51", 24, 41));
    {
      conversation talk(negotiating(daemon));
      const auto seen = talk.build(1000);
      CHECK(seen.code == errc::bad_request);
      CHECK(seen.words() == "client version 1.51 is too new. Maximum supported API version is 1.41");
      CHECK(talk.build(1000).value.id == image_id);
    }
    int builds = 0;
    for (const auto& line : lines_of(daemon)) builds += line.find("/build") != line.npos ? 1 : 0;
    CHECK(builds == 2);
  }
}

}  // namespace dockline::test
