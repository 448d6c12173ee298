// containerize's local builder: what it asks a daemon, in which order, and what it makes of the answers.

#include "engine/registry_auth_header.hpp"
#include "exchange/local_building.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace dockline::test {

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
    CHECK(made.value.digest == image_digest);
    CHECK(made.value.builder == "classic");
    CHECK(made.value.steps == 3);
    CHECK(made.value.cached == 1);
    CHECK(made.value.bytes_sent > 1024);
    CHECK(made.value.warnings.empty());
    const auto lines = other.lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] == "GET /_ping");
    CHECK(lines[1].find("t=h%3A5000%2Fapp%3A1") != std::string::npos);
    CHECK(lines[1].find("not-this") == std::string::npos);
    CHECK(lines[1].find("labels=%7B%22made-by%22%3A%22test%22%7D") != std::string::npos);
    CHECK(lines[1].find("cachefrom") == std::string::npos);
    CHECK(lines[1].find("dockerfile=.dockerfile.") != std::string::npos);
    CHECK(lines[2] == "POST /v1.41/images/h:5000/app/push?tag=1");
    talk.order.push = false;
    CHECK(talk.make().value.digest == "");
    CHECK(other.lines().size() == 5);
  }

  TEST_CASE("the cache image is pulled, and named if it is there") {
    routed_daemon other({{"POST /v1.41/build", built_of_three},
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
    CHECK(other.lines().size() == 2);
    talk.tree.file(".dockerignore", "[\n");
    CHECK(talk.make().code == errc::invalid_pattern);
    CHECK(other.lines().size() == 2);

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

  TEST_CASE("who has none in the configuration may be logged in otherwise") {
    routed_daemon other(
        {{"POST /v1.41/build", built_of_three}, {"POST /v1.41/images/gcr.io/p/app/push", pushed}});
    building talk(other);
    talk.order.image = "gcr.io/p/app:1";
    talk.order.context.dockerfile =
        archive::dockerfile_source::from_text("FROM h:5000/base\nFROM q:1/base\n");
    talk.options.credentials.config.auths = {{"h:5000", engine::registry_auth("u", "p")}};
    std::vector<std::string> asked;
    talk.options.login = [&](std::string registry, diagnostics* why,
                             completion_handler<engine::registry_auth> handler) {
      asked.push_back(registry);
      engine::registry_auth auth("oauth2accesstoken", "t");
      error_code code;
      if (registry == "q:1") {
        why->set_client_message("no token today");
        code = errc::token_refused;
      }
      asio::post(talk.context, [handler = std::move(handler), code, auth = std::move(auth)]() mutable {
        std::move(handler)(code, std::move(auth));
      });
    };
    const auto made = talk.make();
    REQUIRE_MESSAGE(!made.code, made.words());
    CHECK(asked == std::vector<std::string>{"q:1", "gcr.io"});
    REQUIRE(made.value.warnings.size() == 1);
    CHECK(made.value.warnings[0] == "no credentials for q:1: no token today");
    const std::string heads = other.heads();
    const std::string field = "X-Registry-Auth: ";
    const std::size_t at = heads.find(field);
    REQUIRE(at != std::string::npos);
    CHECK(heads.compare(at + field.size(),
                        engine::encode_registry_auth(engine::registry_auth("oauth2accesstoken", "t")).size(),
                        engine::encode_registry_auth(engine::registry_auth("oauth2accesstoken", "t"))) == 0);
  }

  TEST_CASE("cancelled while it is logged in") {
    routed_daemon other({{"POST /v1.41/build", built_of_three}});
    building talk(other);
    talk.options.login = [&](std::string, diagnostics*, completion_handler<engine::registry_auth> handler) {
      // Gives the credentials all the same.
      asio::post(talk.context, [&talk, handler = std::move(handler)]() mutable {
        talk.cancel.emit(asio::cancellation_type::terminal);
        std::move(handler)(error_code(), engine::registry_auth());
      });
    };
    CHECK(talk.make().code == condition::cancelled);
    CHECK(other.lines().empty());
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
    CHECK(other.lines().size() == 2);
    const auto connections = other.daemon.wait();
    CHECK(std::ranges::any_of(connections, [](const auto& one) { return one.client_closed; }));
  }
}

}  // namespace dockline::test
