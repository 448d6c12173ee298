// Tokens of Google's as the password of its registries, and of no other.

#include "dockline/containerize/google_login.hpp"

#include "exchange/gcp/cloud.hpp"

namespace dockline::test {
namespace {

outcome<engine::registry_auth> log_in(cloud& there, const std::string& registry) {
  const auto login = containerize::google_registry_login(there.google);
  return there.operation<engine::registry_auth>([&](diagnostics& why, auto token) {
    login(registry, &why, completion_handler<engine::registry_auth>(std::move(token)));
  });
}

}  // namespace

TEST_SUITE("exchange/gcp/google_login") {
  TEST_CASE("which registries are Google's") {
    for (const auto* name :
         {"gcr.io", "eu.gcr.io", "europe-west1-docker.pkg.dev", "docker.europe-west1.rep.pkg.dev"}) {
      CAPTURE(name);
      CHECK(containerize::is_google_registry(name));
    }
    for (const auto* name :
         {"", "docker.io", "xgcr.io", "gcr.io:5000", "gcr.io.example", "pkg.dev", "docker.pkg.dev",
          "europe-npm.pkg.dev", "docker.pkg.dev.example", "127.0.0.1:5000"}) {
      CAPTURE(name);
      CHECK(!containerize::is_google_registry(name));
    }
  }

  TEST_CASE("a registry of Google's gets a token, any other one nothing") {
    const google_server server;
    cloud there(server, "authorized_user");
    const auto seen = log_in(there, "europe-docker.pkg.dev");
    REQUIRE_MESSAGE(!seen.code, seen.words());
    CHECK(seen.value.username == "oauth2accesstoken");
    CHECK(seen.value.password.starts_with("ya29.c."));
    CHECK(seen.value.server_address == "https://europe-docker.pkg.dev");
    CHECK(log_in(there, "docker.io").value.anonymous());
    CHECK(log_in(there, "gcr.io").value.password == seen.value.password);
    CHECK(server.count("POST", "/token") == 1);
  }

  TEST_CASE("what the token's server says is passed on; an emulator has none") {
    const google_server server;
    cloud there(server, "authorized_user_revoked");
    CHECK(log_in(there, "gcr.io").code == errc::token_refused);
    cloud nobody(gcp::no_credentials(), options_for(server));
    const auto seen = log_in(nobody, "gcr.io");
    CHECK(!seen.code);
    CHECK(seen.value.anonymous());
  }
}

}  // namespace dockline::test
