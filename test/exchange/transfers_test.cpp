// Pushes, pulls and loads: what is an outcome, and what is a failure, inside a 200 and outside.

#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_transfer.hpp"

#include "exchange/conversation.hpp"

#include <vector>

namespace dockline::test {
namespace {

struct transferring : conversation {
  using conversation::conversation;

  outcome<engine::pushed_image> push(progress::event_sink sink = {}) {
    return operation<engine::pushed_image>([&](diagnostics& why, auto token) {
      engine::async_image_push(daemon, "h:5000/app:1", engine::push_options(), std::move(sink), why,
                               std::move(token));
    });
  }
  outcome<engine::pulled_image> pull() {
    return operation<engine::pulled_image>([&](diagnostics& why, auto token) {
      engine::async_image_pull(daemon, "h:5000/app:1", engine::pull_options(), {}, why, std::move(token));
    });
  }
  outcome<engine::loaded_images> load(std::uint64_t size) {
    return operation<engine::loaded_images>([&](diagnostics& why, auto token) {
      engine::async_image_load(daemon, std::make_shared<scripted_source>(context.get_executor(), size),
                               engine::image_load_options(), {}, why, std::move(token));
    });
  }
};

// The same, from a daemon that says that it closes: a push is not sent again on a connection that just went
// away.
std::string closing(std::string text) { return text.insert(text.find("\r\n") + 2, "Connection: close\r\n"); }

fake_daemon::script answer(std::string text) {
  return [text = closing(std::move(text))](peer& client) {
    client.read_request();
    client.send(text);
    // Kept, the connection would be asked again.
    client.close();
  };
}

}  // namespace

TEST_SUITE("exchange/transfers") {
  TEST_CASE("a push may be cut at every byte") {
    const std::string whole = closing(chunked_answer(
        {R"({"status":"Pushing","progressDetail":{"current":5,"total":9},"progress":"[=\u003e ]","id":"0a"})"
         "\r\n",
         R"({"status":"1: digest: )" + image_digest + R"( size: 527"})" + "\r\n",
         R"({"progressDetail":{},"aux":{"Tag":"1","Digest":")" + image_digest + R"(","Size":527}})" +
             "\r\n"}));
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send_split(whole, client.number() * 5 + 1);
      client.close();
    });
    transferring talk(daemon);
    for (std::size_t cut = 1; cut < whole.size(); cut += 5) {
      int events = 0;
      const auto pushed = talk.push([&](const progress::event&) { ++events; });
      REQUIRE(pushed.code == error_code());
      REQUIRE(pushed.value.tags.size() == 1);
      CHECK(pushed.value.tags[0].digest == image_digest);
      CHECK(events == 2);
    }
  }

  TEST_CASE("a push that fails: in a 200, in podman's 500, without words, without an outcome") {
    fake_daemon daemon(fake_daemon::in_turn({
        answer(chunked_answer(
            {R"({"errorDetail":{"message":"unauthorized: authentication required"},"error":"u"})"})),
        answer(
            json_answer(R"({"errorDetail":{"message":"unauthorized: authentication required"},"error":"u"})",
                        "500 Internal Server Error")),
        answer(chunked_answer({R"({"errorDetail":{"message":"it is on fire"},"error":"f"})"})),
        answer(json_answer(R"({"message":"image not known"})", "404 Not Found")),
        answer(chunked_answer({R"({"status":"The push refers to repository [x]"})"})),
        answer(chunked_answer({"nonsense"})),
    }));
    transferring talk(daemon);
    auto failed = talk.push();
    CHECK(failed.code == errc::unauthorized);
    CHECK(failed.why.server_message() == "unauthorized: authentication required");
    CHECK(talk.push().code == errc::unauthorized);
    failed = talk.push();
    CHECK(failed.code == errc::operation_failed);
    CHECK(failed.words() == "it is on fire");
    CHECK(talk.push().code == errc::not_found);
    CHECK(talk.push().code == errc::no_outcome);
    CHECK(talk.push().code == errc::malformed_json);
  }

  TEST_CASE("a pull asks for the image that it got, and takes podman's digest from there") {
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send(
          chunked_answer({R"({"status":"Download complete","progressDetail":{},"id":"04b118b0f24b"})"}));
      client.read_request();
      client.send(json_answer(R"({"Id":")" + std::string(64, '1') +
                              R"(","RepoDigests":["other@sha256:0","h:5000/app@)" + image_digest + R"("]})"));
      client.close();
    });
    transferring talk(daemon);
    const auto pulled = talk.pull();
    CHECK(pulled.code == error_code());
    CHECK(pulled.value.id == "sha256:" + std::string(64, '1'));
    CHECK(pulled.value.digest == image_digest);
    CHECK(daemon.accepted() == 1);
    const auto seen = daemon.wait(1);
    CHECK(seen.at(0).requests.at(1).line() == "GET /v1.41/images/h:5000/app:1/json HTTP/1.1");
  }

  TEST_CASE("a pull that fails: in dockerd's 500, and a daemon that goes away in the middle of a layer") {
    fake_daemon daemon(fake_daemon::in_turn({
        answer(json_answer(R"({"message":"Head \"http://h/v2/app/manifests/1\": no basic auth credentials"})",
                           "500 Internal Server Error")),
        answer(json_answer(R"({"message":"Get \"https://h/v2/\": dial tcp: lookup h: no such host"})",
                           "500 Internal Server Error")),
        [](peer& client) {
          client.read_request();
          client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"sta");
          client.wait_until_read();
          client.close();
        },
        answer(chunked_answer({})),
    }));
    transferring talk(daemon);
    CHECK(talk.pull().code == errc::unauthorized);
    CHECK(talk.pull().code == errc::service_failed);
    CHECK(talk.pull().code == errc::connection_lost);
    CHECK(talk.pull().code == errc::no_outcome);
  }

  TEST_CASE("a load names what was loaded; one that names nothing has failed") {
    fake_daemon daemon(fake_daemon::in_turn({
        answer(chunked_answer({R"({"stream":"Loaded image: a:1\n"})"})),
        answer(
            chunked_answer({R"({"errorDetail":{"message":"archive/tar: invalid tar header"},"error":"x"})"})),
        answer(json_answer("")),
    }));
    transferring talk(daemon);
    const auto loaded = talk.load(100'000);
    CHECK(loaded.value.references == std::vector<std::string>{"a:1"});
    const auto failed = talk.load(10);
    CHECK(failed.code == errc::operation_failed);
    CHECK(failed.words() == "archive/tar: invalid tar header");
    CHECK(talk.load(10).code == errc::no_outcome);
    const auto seen = daemon.wait(3);
    CHECK(seen.at(0).requests.at(0).body_bytes == 100'000);
    CHECK(seen.at(0).requests.at(0).head.find("Content-Type: application/x-tar\r\n") != std::string::npos);
  }

  TEST_CASE("a pull is cancelled while a layer comes") {
    gate begun;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      begun.open();
      client.wait_for_close();
    });
    transferring talk(daemon);
    auto seen = talk.begin<engine::pulled_image>([&](diagnostics& why, auto token) {
      engine::async_image_pull(talk.daemon, "app", engine::pull_options(), {}, why, std::move(token));
    });
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!begun.wait(0ms) && std::chrono::steady_clock::now() < end) talk.context.run_for(1ms);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.run();
    CHECK(seen->completions == 1);
    CHECK(seen->code == condition::cancelled);
    CHECK(daemon.wait(1)[0].client_closed);
  }
}

}  // namespace dockline::test
