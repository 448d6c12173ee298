// Whether a registry has an image, asked by the one who builds with Cloud Build.

#include "dockline/containerize/cloud_builder.hpp"

#include "exchange/gcp/cloud.hpp"

namespace dockline::test {
namespace {

using containerize::image_presence;
using lookup_outcome = outcome<containerize::image_lookup>;

class looking_up : public cloud {
 public:
  explicit looking_up(const google_server& server) : looking_up(server, options_for(server)) {}
  looking_up(const google_server& server, gcp::client_options how)
      : cloud(credentials_of(server, "service_account"), std::move(how)) {
    options.registry_endpoint = server.base();
  }

  auto begin_lookup(const std::string& image) {
    builder_ = containerize::make_cloud_builder(google, options);
    return begin<containerize::image_lookup>([&](diagnostics& why, auto token) {
      builder_->start_look_up(image, &why, completion_handler<containerize::image_lookup>(std::move(token)));
    });
  }
  lookup_outcome look_up(const std::string& image) { return end_of(begin_lookup(image)); }

  containerize::cloud_builder_options options;

 private:
  std::shared_ptr<containerize::image_builder> builder_;
};

const std::string token_wanted = R"({"pull_token": "for-everybody"})";

}  // namespace

TEST_SUITE("exchange/gcp/registry lookup") {
  TEST_CASE("an image is there, or is not, by its tag, its digest or the tag latest") {
    const google_server server;
    const std::string by_digest = "app@" + image_digest;
    server.control("POST", "images", R"({"name": "library/python:3.11"})");
    server.control("POST", "images", R"({"name": "mine/app:latest"})");
    looking_up there(server);
    for (const char* image : {"python:3.11", "docker.io/library/python:3.11", "gcr.io/mine/app"}) {
      CAPTURE(image);
      const lookup_outcome seen = there.look_up(image);
      REQUIRE_MESSAGE(!seen.code, seen.words());
      CHECK(seen.value.presence == image_presence::present);
      CHECK(seen.value.reason.empty());
    }
    for (const std::string& image : {std::string("python:3.12"), "gcr.io/mine/" + by_digest}) {
      CAPTURE(image);
      const lookup_outcome seen = there.look_up(image);
      REQUIRE_MESSAGE(!seen.code, seen.words());
      CHECK(seen.value.presence == image_presence::absent);
      CHECK(seen.value.reason == "the registry has no such image");
    }
    CHECK(server.count("GET", "/v2/mine/app/manifests/" + image_digest) == 1);
    // Who asks is nobody: no account of Google's is used for it.
    CHECK(server.count("POST", "/token") == 0);
  }

  TEST_CASE("a registry that wants a token gets the one that everybody gets") {
    const google_server server;
    server.control("POST", "images", R"({"name": "library/python:3.11"})");
    server.settings(token_wanted);
    looking_up there(server);
    CHECK(there.look_up("python:3.11").value.presence == image_presence::present);
    CHECK(server.count("GET", "/token/pull?service=registry") == 1);
    CHECK(server.count("GET", "/v2/library/python/manifests/3.11") == 2);
    CHECK(there.look_up("python:3.12").value.presence == image_presence::absent);
  }

  TEST_CASE("what is kept from those that are not known is not there for a build either") {
    const google_server server;
    const std::string kept = "the registry has no such image, or keeps it from those that it does not know";
    server.settings(token_wanted);
    looking_up there(server);
    const auto check_kept = [&] {
      const lookup_outcome seen = there.look_up("python:3.11");
      CHECK_MESSAGE(!seen.code, seen.words());
      CHECK(seen.value.presence == image_presence::absent);
      CHECK(seen.value.reason == kept);
    };
    // No token is given, or what is no token; or it is not taken.
    for (const char* answer : {R"({"status": 401, "body": "no"})", R"({"status": 403, "body": "no"})",
                               R"({"status": 200, "body": "{\"nothing\": 1}"})",
                               R"({"status": 200, "body": "{\"token\": \"another\"}"})"}) {
      CAPTURE(answer);
      server.no_faults();
      server.faults(R"({"path": "/token/pull", "action": )" + std::string(answer) + "}");
      check_kept();
    }
    server.no_faults();
    // Nor where the registry does not say who gives one.
    server.faults(R"({"path": "/v2/", "action": {"status": 401, "body": "{}"}})");
    check_kept();
    server.no_faults();
    server.faults(R"({"path": "/v2/", "action": {"status": 403, "body": "{}"}})");
    check_kept();
  }

  TEST_CASE("what cannot be found out is no error, and is told") {
    const google_server server;
    gcp::client_options how = options_for(server);
    how.retries.budget = 50ms;
    looking_up there(server, how);
    const auto reason_of = [&](const std::string& image) {
      const lookup_outcome seen = there.look_up(image);
      CHECK_MESSAGE(!seen.code, seen.words());
      CHECK(seen.value.presence == image_presence::unknown);
      return seen.value.reason;
    };
    server.faults(R"({"path": "/v2/", "action": {"status": 418, "body": "{}"}})");
    CHECK(reason_of("python:3.11") == "the registry answers with status 418");
    server.no_faults();
    server.faults(R"({"path": "/v2/", "action": {"reset": "before"}})");
    CHECK(!reason_of("python:3.11").empty());
    server.no_faults();
    // In the middle of it: while the token is fetched, and when it was.
    server.settings(token_wanted);
    server.faults(R"({"path": "/token/pull", "action": {"reset": "before"}})");
    CHECK(!reason_of("python:3.11").empty());
    server.no_faults();
    server.faults(R"({"path": "/v2/", "every": 2, "action": {"status": 418, "body": "{}"}})");
    CHECK(reason_of("python:3.11") == "the registry answers with status 418");
    server.no_faults();
    CHECK(reason_of("No:Image:At:All").find("No:Image:At:All") != std::string::npos);
  }

  TEST_CASE("a registry that is asked over TLS does not lead to a token in plain text") {
    const google_server server({"--tls"});
    server.settings(R"({"pull_token": "for-everybody", "pull_realm": "http://)" + server.metadata() +
                    R"(/token/pull"})");
    looking_up there(server);
    const lookup_outcome seen = there.look_up("python:3.11");
    CHECK_MESSAGE(!seen.code, seen.words());
    CHECK(seen.value.presence == image_presence::absent);
    CHECK(server.count("GET", "/token/pull") == 0);
    // By https it does.
    server.control("POST", "images", R"({"name": "library/python:3.11"})");
    server.settings(R"({"pull_realm": ")" + server.base() + R"(/token/pull"})");
    CHECK(there.look_up("python:3.11").value.presence == image_presence::present);
    CHECK(server.count("GET", "/token/pull") == 1);
  }

  TEST_CASE("cancelled while the registry is silent, and while the one who gives the token is") {
    const google_server server;
    server.settings(token_wanted);
    for (const char* silent : {"/v2/", "/token/pull"}) {
      CAPTURE(silent);
      server.no_faults();
      server.forget_log();
      server.faults(R"({"path": ")" + std::string(silent) + R"(", "action": {"stall": 60}})");
      looking_up there(server);
      const auto seen = there.begin_lookup("python:3.11");
      there.run_until_it([&] { return server.count("GET", silent) > 0; });
      CHECK(seen->completions == 0);
      there.cancel.emit(asio::cancellation_type::terminal);
      there.run();
      CHECK(seen->completions == 1);
      CHECK(seen->code == condition::cancelled);
    }
  }
}

}  // namespace dockline::test
