#include "engine/registry_token.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::engine {
namespace {

registry_challenge challenge() {
  registry_challenge made;
  made.realm = "https://auth.example/token";
  made.service = "registry.example";
  made.scopes = {"repository:a/b:pull", "repository:c:pull,push"};
  return made;
}

}  // namespace

TEST_SUITE("engine/registry_token") {
  TEST_CASE("what is asked for: by a password, and by an identity token") {
    const registry_auth ann("ann", "p w&=");
    CHECK(token_form(challenge(), ann, "me") ==
          "grant_type=password&service=registry.example&client_id=me&"
          "scope=repository%3Aa%2Fb%3Apull+repository%3Ac%3Apull%2Cpush&username=ann&password=p+w%26%3D");
    CHECK(basic_credentials(ann) == "Basic YW5uOnAgdyY9");
    registry_auth by_token("ignored", "ignored");
    by_token.identity_token = "t";
    CHECK(token_form(registry_challenge(), by_token, "me") ==
          "grant_type=refresh_token&service=&client_id=me&refresh_token=t");
    CHECK(basic_credentials(by_token) == "Basic OnQ=");
    const registry_auth nameless("", "t");
    CHECK(token_form(registry_challenge(), nameless, "me") ==
          token_form(registry_challenge(), by_token, "me"));
    CHECK(basic_credentials(nameless) == "Basic OnQ=");
    CHECK(has_secret(nameless));
    CHECK(has_secret(by_token));
    CHECK_FALSE(has_secret(registry_auth("ann", "")));
    CHECK(token_url(challenge()) ==
          "https://auth.example/token?service=registry.example&scope=repository%3Aa%2Fb%3Apull&"
          "scope=repository%3Ac%3Apull%2Cpush");
  }

  TEST_CASE("servers that only know the GET") {
    const registry_auth ann("ann", "pw");
    registry_auth by_token;
    by_token.identity_token = "t";
    for (const int status : {401, 404}) {
      CHECK(wants_get(status, ann));
      CHECK(wants_get(status, by_token));
    }
    CHECK(wants_get(405, ann));
    CHECK_FALSE(wants_get(405, by_token));
    for (const int status : {200, 400, 403, 429, 500}) CHECK_FALSE(wants_get(status, ann));
  }

  TEST_CASE("answers, with and without what may be left out") {
    diagnostics why;
    const auto full = read_registry_token(
        R"({"token":"old","access_token":"new","expires_in":300,"issued_at":"2026-01-01T00:00:00.5Z"})", why);
    REQUIRE(full.has_value());
    CHECK(full->value == "new");
    CHECK(full->life.count() == 300);
    CHECK(full->issued.time_since_epoch().count() == 1'767'225'600);
    for (const std::string short_one :
         {R"({"token":"t"})", R"({"token":"t","expires_in":0,"issued_at":"yesterday"})",
          R"({"token":"t","access_token":"","expires_in":-5,"issued_at":7})"}) {
      const auto read = read_registry_token(short_one, why);
      REQUIRE(read.has_value());
      CHECK(read->value == "t");
      CHECK(read->life == usual_token_life);
      CHECK(read->issued.time_since_epoch().count() == 0);
    }
    const auto endless = read_registry_token(R"({"token":"t","expires_in":9223372036854775807})", why);
    REQUIRE(endless.has_value());
    CHECK(endless->life.count() == std::int64_t{1} << 31);
  }

  TEST_CASE("answers that hold none") {
    for (const std::string bad : {"", "{", "[]", "7", "{}", R"({"token":""})", R"({"token":7})"}) {
      diagnostics why;
      const auto read = read_registry_token(bad, why);
      CHECK_MESSAGE(!read.has_value(), bad);
      CHECK(read.error() == errc::unexpected_answer);
      CHECK(!why.client_message().empty());
    }
  }

  TEST_CASE("where credentials may go") {
    CHECK(may_have_credentials("https://anything.example/token", "registry.example"));
    CHECK(may_have_credentials("http://127.0.0.1:5001/token", "localhost:5000"));
    CHECK_FALSE(may_have_credentials("http://127.0.0.1:5001/token", "registry.example"));
    CHECK_FALSE(may_have_credentials("http://localhost/token", "registry.example:5000"));
    CHECK(may_have_credentials("http://registry.lan:8080/token", "registry.lan:5000"));
    CHECK_FALSE(may_have_credentials("http://auth.lan/token", "registry.lan:5000"));
    CHECK_FALSE(may_have_credentials("http://registry.lan.evil.example/token", "registry.lan"));
    CHECK_FALSE(may_have_credentials("ftp://registry.lan/token", "registry.lan"));
    CHECK_FALSE(may_have_credentials("", "registry.lan"));
  }
}

}  // namespace dockline::engine
