// containerize's local builder: what it asks a daemon, in which order, and what it makes of the answers.

#include "dockline/containerize/local_builder.hpp"

#include "exchange/conversation.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <vector>

namespace dockline::test {
namespace {

using containerize::containerized_image;
using containerize::image_lookup;
using containerize::image_presence;

const std::string digest = "sha256:" + std::string(64, 'd');
const std::string missing = json_answer(R"({"message":"No such image"})", "404 Not Found");
const std::string there = json_answer("{\"Id\":\"" + image_id + "\"}");
const std::string pushed = chunked_answer({R"({"progressDetail":{},"aux":{"Tag":"1","Digest":")" + digest +
                                           R"(","Size":527}})"
                                           "\r\n"});
const std::string pulled = chunked_answer(
    {"{\"status\":\"Digest: " + digest + "\"}\r\n", "{\"status\":\"Status: Downloaded newer image\"}\r\n"});
const std::string docker_ping = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK";
const std::string podman_ping =
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nLibpod-API-Version: 4.3.1\r\nContent-Length: 2\r\n\r\nOK";
const std::string built_of_three = chunked_answer(
    {"{\"stream\":\"Step 1/3 : FROM base\\n\"}\r\n{\"stream\":\" ---> 0123456789ab\\n\"}\r\n",
     "{\"stream\":\"Step 2/3 : WORKDIR /app\\n\"}\r\n{\"stream\":\" ---> Using cache\\n\"}\r\n",
     "{\"stream\":\"Step 3/3 : COPY [\\\".\\\", \\\"./\\\"]\\n\"}\r\n", built});

// A daemon that answers by what the request's line begins with, and remembers the lines.
class routed_daemon {
 public:
  explicit routed_daemon(std::map<std::string, std::string> answers)
      : answers_(std::move(answers)), daemon([this](peer& client) { serve(client); }) {}

  std::string heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void serve(peer& client) {
    for (;;) {
      const seen_request& seen = client.read_request();
      const std::string line = seen.line().substr(0, seen.line().rfind(" HTTP/"));
      {
        const std::lock_guard lock(mutex_);
        lines_.push_back(line);
        heads_ += seen.head;
      }
      std::string answer = missing;
      std::size_t longest = 0;
      for (const auto& [start, text] : answers_) {
        if (!line.starts_with(start) || start.size() < longest) continue;
        answer = text;
        longest = start.size();
      }
      // None: the daemon is silent.
      if (answer.empty()) return client.wait_for_close();
      client.send(answer);
    }
  }

  std::map<std::string, std::string> answers_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::string heads_;

 public:
  fake_daemon daemon;
};

struct building : conversation {
  explicit building(routed_daemon& other) : conversation(other.daemon) {
    tree.file("a.py", "x\n");
    order.context.directory = tree.root();
    order.context.dockerfile = archive::dockerfile_source::from_text("FROM base\n");
    order.image = "h:5000/app:1";
  }

  outcome<containerized_image> make(std::function<void()> meanwhile = {}) {
    auto builder = containerize::make_local_builder(daemon, options);
    return operation<containerized_image>([&](diagnostics& why, auto token) {
      builder->start_build(
          order,
          [this, meanwhile](const progress::event& what) {
            if (const auto* warned = std::get_if<progress::warning>(&what.body))
              warnings.push_back(warned->text);
            if (std::holds_alternative<progress::step_started>(what.body) && meanwhile) meanwhile();
          },
          &why, completion_handler<containerized_image>(std::move(token)));
    });
  }
  outcome<image_lookup> look_up(const std::string& image) {
    auto builder = containerize::make_local_builder(daemon, options);
    return operation<image_lookup>([&](diagnostics& why, auto token) {
      builder->start_look_up(image, &why, completion_handler<image_lookup>(std::move(token)));
    });
  }

  archive::scratch_tree tree;
  containerize::image_order order;
  containerize::local_builder_options options;
  std::vector<std::string> warnings;
};

}  // namespace

TEST_SUITE("exchange/local_builder") {
  TEST_CASE("a build and a push: the result") {
    routed_daemon other(
        {{"POST /v1.41/build", built_of_three}, {"POST /v1.41/images/h:5000/app/push", pushed}});
    building talk(other);
    talk.options.build.labels = {{"made-by", "test"}};
    talk.options.build.tags = {"not-this"};
    const auto made = talk.make();
    REQUIRE_MESSAGE(!made.code, made.words());
    CHECK(made.value.image_uri == "h:5000/app:1");
    CHECK(made.value.digest == digest);
    CHECK(made.value.builder == "classic");
    CHECK(made.value.steps == 3);
    CHECK(made.value.cached == 1);
    CHECK(made.value.bytes_sent > 1024);
    CHECK(made.value.warnings.empty());
    const auto lines = other.lines();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].find("t=h%3A5000%2Fapp%3A1") != std::string::npos);
    CHECK(lines[0].find("not-this") == std::string::npos);
    CHECK(lines[0].find("labels=%7B%22made-by%22%3A%22test%22%7D") != std::string::npos);
    CHECK(lines[0].find("cachefrom") == std::string::npos);
    CHECK(lines[0].find("dockerfile=.dockerfile.") != std::string::npos);
    CHECK(lines[1] == "POST /v1.41/images/h:5000/app/push?tag=1");
    talk.order.push = false;
    CHECK(talk.make().value.digest == "");
    CHECK(other.lines().size() == 3);
  }

  TEST_CASE("the cache image is pulled, and named if it is there") {
    routed_daemon other({{"POST /v1.41/build", built_of_three},
                         {"GET /_ping", docker_ping},
                         {"POST /v1.41/images/create?fromImage=h%3A5000%2Fcache", pulled},
                         {"POST /v1.41/images/create?fromImage=old", missing},
                         {"GET /v1.41/images/old:1/json", there},
                         {"GET /v1.41/images/h:5000/cache:1/json", there}});
    building talk(other);
    talk.order.push = false;
    talk.order.cache_from = "h:5000/cache:1";
    auto made = talk.make();
    REQUIRE_MESSAGE(!made.code, made.words());
    CHECK(made.value.warnings.empty());
    CHECK(other.lines().back().find("cachefrom=%5B%22h%3A5000%2Fcache%3A1%22%5D") != std::string::npos);
    // Not to be pulled, but there.
    talk.order.cache_from = "old:1";
    made = talk.make();
    REQUIRE(made.value.warnings.size() == 1);
    CHECK(made.value.warnings[0] ==
          "cache image old:1 cannot be pulled: No such image; taking the copy that the daemon has");
    CHECK(other.lines().back().find("cachefrom=%5B%22old%3A1%22%5D") != std::string::npos);
    // Neither.
    talk.order.cache_from = "none:1";
    made = talk.make();
    CHECK(!made.code);
    REQUIRE(made.value.warnings.size() == 1);
    CHECK(made.value.warnings[0] ==
          "cache image none:1 cannot be pulled: No such image; building without it");
    CHECK(other.lines().back().find("cachefrom") == std::string::npos);
    CHECK(talk.warnings.size() == 2);
  }

  TEST_CASE("podman is not told the cache image, which it would refuse") {
    routed_daemon other({{"POST /v1.41/build", built_of_three},
                         {"GET /_ping", podman_ping},
                         {"POST /v1.41/images/create", pulled},
                         {"GET /v1.41/images/h:5000/cache:1/json", there}});
    building talk(other);
    talk.order.push = false;
    talk.order.cache_from = "h:5000/cache:1";
    CHECK(!talk.make().code);
    CHECK(other.lines().back().find("cachefrom") == std::string::npos);
  }

  TEST_CASE("what fails") {
    routed_daemon other(
        {{"POST /v1.41/build",
          chunked_answer({R"({"errorDetail":{"code":2,"message":"boom"},"error":"boom"})"})}});
    building talk(other);
    auto made = talk.make();
    CHECK(made.code == condition::build_failed);
    CHECK(other.lines().size() == 1);
    talk.tree.file(".dockerignore", "[\n");
    CHECK(talk.make().code == errc::invalid_pattern);
    CHECK(other.lines().size() == 1);

    routed_daemon denying(
        {{"POST /v1.41/build", built_of_three},
         {"POST /v1.41/images/h:5000/app/push",
          chunked_answer({R"({"errorDetail":{"message":"denied: no"},"error":"denied: no"})"})}});
    building pushing(denying);
    made = pushing.make();
    CHECK(made.code);
    CHECK(made.words().find("denied: no") != std::string::npos);
  }

  TEST_CASE("credentials go to the registries that are named, and nowhere else") {
    routed_daemon other(
        {{"POST /v1.41/build", built_of_three}, {"POST /v1.41/images/h:5000/app/push", pushed}});
    building talk(other);
    talk.options.credentials.config.auths = {{"h:5000", engine::registry_auth("u", "p")},
                                             {"other:1", engine::registry_auth("o", "secret")}};
    REQUIRE(!talk.make().code);
    const std::string heads = other.heads();
    // {"password":"p", …} in the push's field, the same in the build's.
    CHECK(heads.find("X-Registry-Auth: ") != std::string::npos);
    CHECK(heads.find("c2VjcmV0") == std::string::npos);
  }

  TEST_CASE("whether an image is there") {
    routed_daemon other(
        {{"GET /v1.41/images/here:1/json", there},
         {"GET /v1.41/distribution/h:5000/far:1/json", json_answer(R"({"Descriptor":{}})")},
         {"GET /v1.41/distribution/h:5000/closed:1/json",
          json_answer(R"({"message":"no"})", "401 Unauthorized")},
         {"GET /v1.41/distribution/h:5000/broken:1/json",
          json_answer(R"({"message":"lookup h: no such host"})", "500 Internal Server Error")}});
    building talk(other);
    CHECK(talk.look_up("here:1").value.presence == image_presence::present);
    CHECK(other.lines().size() == 1);
    CHECK(talk.look_up("h:5000/far:1").value.presence == image_presence::present);
    CHECK(talk.look_up("h:5000/none:1").value.presence == image_presence::absent);
    CHECK(talk.look_up("h:5000/closed:1").value.presence == image_presence::absent);
    const auto broken = talk.look_up("h:5000/broken:1");
    CHECK(!broken.code);
    CHECK(broken.value.presence == image_presence::unknown);
    CHECK(broken.value.reason.find("no such host") != std::string::npos);
    conversation nobody(options_for("unix:///nonexistent/docker.sock"));
    auto builder = containerize::make_local_builder(nobody.daemon);
    const auto asked = nobody.operation<image_lookup>([&](diagnostics& why, auto token) {
      builder->start_look_up("x", &why, completion_handler<image_lookup>(std::move(token)));
    });
    CHECK(!asked.code);
    CHECK(asked.value.presence == image_presence::unknown);
  }

  TEST_CASE("cancelled in the middle of the build") {
    // A step, and then nothing.
    std::string endless = chunked_answer({"{\"stream\":\"Step 1/1 : FROM base\\n\"}\r\n"});
    endless.resize(endless.size() - std::string("0\r\n\r\n").size());
    routed_daemon other({{"POST /v1.41/build", endless}});
    building talk(other);
    const auto made = talk.make([&] { talk.cancel.emit(asio::cancellation_type::terminal); });
    CHECK(made.code == condition::cancelled);
    CHECK(other.lines().size() == 1);
    CHECK(other.daemon.wait()[0].client_closed);
  }
}

}  // namespace dockline::test
