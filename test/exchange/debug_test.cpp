// What an observer hears of the requests, and the user's own fields in them. No secret reaches an observer,
// an event or an error.

#include "dockline/engine/auth_check.hpp"
#include "dockline/engine/image_transfer.hpp"

#include "exchange/conversation.hpp"

#include <algorithm>
#include <vector>

namespace dockline::test {
namespace {

using http::exchange_event;
using http::exchange_phase;

constexpr std::string_view secret = "hunter2";
// base64 of {"username":"u","password":"hunter2"} and the like begins with the same bytes; what is looked for
// is the password in either of its three places in a group of three.
constexpr std::string_view encoded_secrets[] = {"aHVudGVyM", "h1bnRlcj", "odW50ZXIy"};

bool is_free_of_secrets(std::string_view text) {
  return text.find(secret) == text.npos &&
         std::ranges::none_of(encoded_secrets, [&](auto one) { return text.find(one) != text.npos; });
}

struct watched : conversation {
  explicit watched(const fake_daemon& other, std::map<std::string, std::string> headers = {})
      : watched(other, std::make_shared<std::vector<exchange_event>>(), std::move(headers)) {}

  std::shared_ptr<std::vector<exchange_event>> seen;

 private:
  watched(const fake_daemon& other, std::shared_ptr<std::vector<exchange_event>> list,
          std::map<std::string, std::string> headers)
      : conversation(with_observer(other, list, std::move(headers))), seen(std::move(list)) {}

  static engine::client_options with_observer(const fake_daemon& other,
                                              const std::shared_ptr<std::vector<exchange_event>>& list,
                                              std::map<std::string, std::string> headers) {
    auto options = options_for(other.host());
    options.headers = std::move(headers);
    options.on_exchange = [list](const exchange_event& what) { list->push_back(what); };
    return options;
  }
};

}  // namespace

TEST_SUITE("exchange/debug") {
  TEST_CASE("request, answer, end, with the bytes of the bodies") {
    fake_daemon daemon([](peer& client) {
      for (;;) {
        client.read_request();
        client.send(version_answer);
      }
    });
    watched talk(daemon);
    CHECK_FALSE(talk.version().code);
    CHECK_FALSE(talk.version().code);
    REQUIRE(talk.seen->size() == 6);
    const auto& seen = *talk.seen;
    CHECK(seen[0].phase == exchange_phase::request);
    CHECK(seen[0].number == 1);
    CHECK(seen[0].head.starts_with("GET /v1.41/version HTTP/1.1\n"));
    CHECK(seen[1].phase == exchange_phase::answer);
    CHECK(seen[1].head.starts_with("HTTP/1.1 200 OK\n"));
    CHECK(seen[1].head.find("\nContent-Type: application/json\n") != std::string::npos);
    CHECK(seen[2].phase == exchange_phase::over);
    CHECK(seen[2].received == version_answer.size() - version_answer.find("\r\n\r\n") - 4);
    CHECK_FALSE(seen[2].outcome);
    CHECK(seen[3].number == 2);
    CHECK(seen[2].elapsed >= seen[1].elapsed);
  }

  TEST_CASE("a streamed body is counted, and a connection that is lost is how it ended") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      if (client.number() == 0) client.send("3f\r\n{\"stream\":\"");
      client.wait_until_read();
      client.close();
    });
    watched talk(daemon);
    CHECK(talk.build(300'000).code == errc::connection_lost);
    REQUIRE(talk.seen->size() == 3);
    CHECK((*talk.seen)[2].sent == 300'000);
    CHECK((*talk.seen)[2].received == 11);
    CHECK((*talk.seen)[2].outcome == errc::connection_lost);
  }

  TEST_CASE("what is cancelled is told as well, once") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.wait_for_close();
    });
    watched talk(daemon);
    auto outcome = talk.begin_version();
    talk.context.run_for(50ms);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.run();
    CHECK(outcome->code == condition::cancelled);
    REQUIRE(talk.seen->size() == 2);
    CHECK((*talk.seen)[1].outcome == asio::error::operation_aborted);
  }

  TEST_CASE("no secret is told: headers, bodies, the user's own fields, build arguments, refusals") {
    fake_daemon daemon([](peer& client) {
      const std::string line = client.read_request().line();
      std::string text = json_answer("{\"errorDetail\":{\"message\":\"denied\"},\"error\":\"denied\"}\r\n");
      if (line.find("/auth") != line.npos) text = json_answer(R"({"message":"no"})", "401 Unauthorized");
      if (line.find("/build") != line.npos) text = json_answer(built);
      client.send(text.insert(text.find("\r\n") + 2, "Connection: close\r\n"));
      client.close();
    });
    watched talk(daemon,
                 {{"X-Own", std::string(secret)}, {"Authorization", "Bearer " + std::string(secret)}});
    const engine::registry_auth auth("u", std::string(secret));
    std::string words;
    const auto push = talk.operation<engine::pushed_image>([&](diagnostics& why, auto token) {
      engine::push_options options;
      options.auth = auth;
      engine::async_image_push(talk.daemon, "h:5000/app:1", options, {}, why, std::move(token));
    });
    CHECK(push.code);
    words += push.words();
    const auto login = talk.operation<engine::auth_check_result>([&](diagnostics& why, auto token) {
      engine::async_auth_check(talk.daemon, auth, why, std::move(token));
    });
    CHECK(login.code == condition::unauthorized);
    words += login.words();
    const auto build = talk.operation<engine::built_image>([&](diagnostics& why, auto token) {
      engine::build_options options;
      options.registry_auths["h:5000"] = auth;
      options.build_args["HTTP_PROXY"] = "http://u:" + std::string(secret) + "@proxy:3128";
      options.build_args["A_TOKEN"] = std::string(secret);
      engine::async_build(talk.daemon, std::make_shared<scripted_source>(talk.context.get_executor(), 10),
                          options, {}, why, std::move(token));
    });
    CHECK_FALSE(build.code);
    words += build.words();
    REQUIRE(talk.seen->size() == 9);
    CHECK((*talk.seen)[0].head.find("\nX-Registry-Auth: ***\n") != std::string::npos);
    CHECK((*talk.seen)[0].head.find("\nX-Own: ***\n") != std::string::npos);
    CHECK((*talk.seen)[6].head.find("\nX-Registry-Config: ***\n") != std::string::npos);
    CHECK((*talk.seen)[6].head.find("proxy%3A3128") != std::string::npos);
    for (const auto& one : *talk.seen) CHECK_MESSAGE(is_free_of_secrets(one.head), one.head);
    CHECK(is_free_of_secrets(words));
    // They did go out.
    bool sent = false;
    for (const auto& record : daemon.wait(3)) {
      for (const auto& request : record.requests)
        sent = sent || !is_free_of_secrets(request.head + request.body);
    }
    CHECK(sent);
  }

  TEST_CASE("the user's fields go with each request, but never in place of ours or of HTTP's own") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(version_answer);
      client.close();
    });
    watched talk(daemon, {{"X-Own", "1"},
                          {"user-agent", "mine"},
                          {"Expect", "100-continue"},
                          {"Content-Length", "7"},
                          {"Transfer-Encoding", "chunked"},
                          {"Connection", "close"},
                          {"Upgrade", "h2c"},
                          {"host", "h"}});
    CHECK_FALSE(talk.version().code);
    const auto record = daemon.wait();
    REQUIRE(record.size() == 1);
    REQUIRE(record[0].requests.size() == 1);
    CHECK(record[0].requests[0].head ==
          "GET /v1.41/version HTTP/1.1\r\nUser-Agent: dockline/0.1\r\nX-Own: 1\r\nHost: docker\r\n\r\n");
    fake_daemon other([](peer& client) { client.wait_for_close(); });
    watched broken(other, {{"X-Own", "a\r\nX-Other: b"}});
    const auto refused = broken.version();
    CHECK(refused.code == errc::invalid_argument);
    CHECK(broken.seen->empty());
  }
}

}  // namespace dockline::test
