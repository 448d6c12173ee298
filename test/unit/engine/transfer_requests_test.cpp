#include "engine/transfer_requests.hpp"

#include "unit/engine/request_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::engine {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');
// {"username":"test","password":"t"}
const std::string credentials = "X-Registry-Auth: eyJ1c2VybmFtZSI6InRlc3QiLCJwYXNzd29yZCI6InQifQ==\r\n";
const std::string nobody = "X-Registry-Auth: e30=\r\n";

}  // namespace

TEST_SUITE("engine/transfer_requests") {
  TEST_CASE("push: repository and tag, and always a field of credentials") {
    diagnostics why;
    push_options options;
    CHECK(text(requests::image_push("127.0.0.1:5000/team/app:1", options, newest, why)) ==
          bare("POST /v1.51/images/127.0.0.1:5000/team/app/push?tag=1", nobody, true));
    CHECK(text(requests::image_push("app", options, newest, why)) ==
          bare("POST /v1.51/images/app/push?tag=latest", nobody, true));
    CHECK(requests::image_push("app", options, newest, why)->silent);
    options.auth = registry_auth("test", "t");
    options.platform = "linux/amd64";
    CHECK(text(requests::image_push("app:1", options, newest, why)) ==
          bare("POST /v1.51/images/app/"
               "push?platform=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D&tag=1",
               credentials, true));
    CHECK(requests::image_push("app:1", options, {1, 45}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "the platform of a push needs API 1.46, this daemon speaks 1.45");
  }

  TEST_CASE("push: all tags take none; a digest cannot be pushed") {
    diagnostics why;
    push_options options;
    CHECK(requests::image_push("app@" + digest, options, newest, why).error() == errc::invalid_argument);
    CHECK(requests::image_push("App", options, newest, why).error() == errc::invalid_reference);
    options.all_tags = true;
    CHECK(text(requests::image_push("h:5000/app", options, newest, why)) ==
          bare("POST /v1.51/images/h:5000/app/push", nobody, true));
    CHECK(requests::image_push("app:1", options, newest, why).error() == errc::invalid_argument);
    CHECK(why.client_message() == "name \"app:1\": all tags are meant, and one is given");
  }

  TEST_CASE("pull: by tag, by digest, all of them") {
    diagnostics why;
    pull_options options;
    CHECK(text(requests::image_pull("127.0.0.1:5000/app:1", options, newest, why)) ==
          bare("POST /v1.51/images/create?fromImage=127.0.0.1%3A5000%2Fapp&tag=1", nobody, true));
    CHECK(text(requests::image_pull("app", options, newest, why)) ==
          bare("POST /v1.51/images/create?fromImage=app&tag=latest", nobody, true));
    for (const auto& name : {"app@" + digest, "app:1@" + digest}) {
      CHECK(
          text(requests::image_pull(name, options, newest, why)) ==
          bare("POST /v1.51/images/create?fromImage=app&tag=sha256%3A" + std::string(64, 'a'), nobody, true));
    }
    options.platform = "linux/arm/v7";
    options.auth = registry_auth("test", "t");
    CHECK(text(requests::image_pull("app:1", options, newest, why)) ==
          bare("POST /v1.51/images/create?fromImage=app&platform=linux%2Farm%2Fv7&tag=1", credentials, true));
    CHECK(requests::image_pull("app:1", options, {1, 31}, why).error() == errc::unsupported_parameter);
    options = pull_options();
    options.all_tags = true;
    CHECK(text(requests::image_pull("app", options, newest, why)) ==
          bare("POST /v1.51/images/create?fromImage=app", nobody, true));
    CHECK(requests::image_pull("", options, newest, why).error() == errc::invalid_reference);
  }

  TEST_CASE("distribution") {
    diagnostics why;
    CHECK(text(requests::distribution_inspect("h:5000/a/b:1", registry_auth("test", "t"), newest, why)) ==
          bare("GET /v1.51/distribution/h:5000/a/b:1/json", credentials));
    CHECK(requests::distribution_inspect("a", {}, {1, 29}, why).error() == errc::unsupported_parameter);
    CHECK(requests::distribution_inspect("A", {}, newest, why).error() == errc::invalid_reference);
  }
}

}  // namespace dockline::engine
