// Access tokens for credentials of every type, from the tests' Google, and what there is to say where it
// gives none.

#include "exchange/gcp/cloud.hpp"

#include <algorithm>
#include <array>

namespace dockline::test {
namespace {

bool is_token(const outcome<gcp::access_token>& seen) {
  INFO(seen.words());
  CHECK(!seen.code);
  return !seen.code && seen.value.value.starts_with("ya29.c.");
}

bool says(const outcome<gcp::access_token>& seen, std::string_view words) {
  INFO(seen.words());
  return seen.words().find(words) != std::string::npos;
}

}  // namespace

TEST_SUITE("exchange/gcp/tokens") {
  TEST_CASE("each type of credentials gives a token") {
    const google_server server;
    for (const auto* type : {"authorized_user", "external_file", "external_url", "external_aws",
                             "external_impersonated", "impersonated", "impersonated_chain"}) {
      CAPTURE(type);
      cloud there(server, type);
      CHECK(is_token(there.token()));
    }
  }

  TEST_CASE("a refresh token that is good once is followed by the one that its answer brings") {
    const google_server server;
    server.settings(R"({"token_lifetime": 0})");  // so that each use asks for a token
    cloud there(server, "workforce_user");
    for (int i = 0; i < 3; ++i) CHECK(is_token(there.token()));
    CHECK(server.count("POST", "/v1/oauthtoken") == 3);
    // What the file has was good once.
    cloud other(server, "workforce_user");
    CHECK(other.token().code == errc::token_refused);
  }

  TEST_CASE("the project of an external account is its pool's, as Resource Manager knows it") {
    const google_server server;
    gcp::client_options options = options_for(server);
    options.project.clear();
    for (const auto* type : {"external_file", "external_impersonated"}) {
      CAPTURE(type);
      cloud there(credentials_of(server, type), options);
      for (int i = 0; i < 2; ++i) {
        const auto project = there.operation<std::string>([&](diagnostics& said, auto token) {
          gcp::async_project_id(there.google, said, std::move(token));
        });
        CHECK(project.words() == error_code().message());
        CHECK(project.value == "dockline-test");
      }
    }
    CHECK(server.count("GET", "/v1/projects/") == 2);
    // A user's credentials have none.
    cloud there(credentials_of(server, "workforce_user"), options);
    const auto none = there.operation<std::string>(
        [&](diagnostics& said, auto token) { gcp::async_project_id(there.google, said, std::move(token)); });
    CHECK(none.code == errc::invalid_argument);
  }

  TEST_CASE("a service account's key signs its tokens itself") {
    const google_server server;
    cloud there(server);
    const auto seen = there.token();
    CHECK(!seen.code);
    CHECK(std::ranges::count(seen.value.value, '.') == 2);
    CHECK(server.count("POST", "/") == 0);
  }

  TEST_CASE("a refresh token that is good no longer says what to run") {
    const google_server server;
    for (const auto* type : {"authorized_user_revoked", "authorized_user_expired", "authorized_user_rapt"}) {
      CAPTURE(type);
      cloud there(server, type);
      const auto seen = there.token();
      CHECK(seen.code == errc::token_refused);
      CHECK(says(seen, "gcloud auth application-default login"));
      // Nothing that is secret, nor the other way round.
      CHECK(!says(seen, "client-secret"));
    }
  }

  TEST_CASE("however many want one, it is asked for once") {
    const google_server server;
    server.faults(R"({"path": "^/token", "action": {"delay": 0.1}})");
    cloud there(server, "authorized_user");
    std::array<std::shared_ptr<outcome<gcp::access_token>>, 20> all;
    for (auto& one : all) one = there.begin_token();
    there.run();
    for (const auto& one : all) CHECK(is_token(*one));
    CHECK(is_token(there.token()));
    CHECK(server.count("POST", "/token") == 1);
  }

  TEST_CASE("a token is used however short its life is") {
    const google_server server;
    server.settings(R"({"token_lifetime": 9, "expires_in_as_text": true})");
    cloud there(server, "authorized_user");
    CHECK(is_token(there.token()));
    CHECK(is_token(there.token()));
  }

  TEST_CASE("what fails for a moment is asked for again") {
    const google_server server;
    for (const auto* action : {R"({"status": 503})", R"({"status": 500})", R"({"reset": "before"})",
                               R"({"reset": "after"})", R"({"cut_answer": 10})"}) {
      CAPTURE(action);
      server.no_faults();
      server.faults(R"({"path": "^/token", "times": 2, "action": )" + std::string(action) + "}");
      cloud there(server, "authorized_user");
      CHECK(is_token(there.token()));
    }
  }

  TEST_CASE("a clock that is wrong is named") {
    const google_server server;
    server.settings(R"({"clock_offset": 7200})");
    cloud there(server, "impersonated");
    const auto seen = there.token();
    CHECK(seen.code);
    CHECK_MESSAGE(says(seen, "clock"), seen.words());
  }

  TEST_CASE("credentials of a type that nobody knows are an error") {
    const google_server server;
    gcp::environment variables;
    diagnostics why;
    variables["GOOGLE_APPLICATION_CREDENTIALS"] = server.credentials_file("unknown_type");
    auto found = gcp::find_credentials(variables, why);
    REQUIRE(!found.has_value());
    CHECK(found.error() == errc::bad_configuration);
    CHECK(describe(found.error(), why).find("something_new") != std::string::npos);

    variables["GOOGLE_APPLICATION_CREDENTIALS"] = "/nonexistent/key.json";
    variables["GCE_METADATA_HOST"] = server.metadata();
    found = gcp::find_credentials(variables, why);
    REQUIRE(!found.has_value());
    CHECK(found.error() == errc::bad_configuration);
  }

  TEST_CASE("the metadata server of a machine at Google") {
    const google_server server;
    gcp::environment variables;
    variables["GCE_METADATA_HOST"] = server.metadata();
    variables["HOME"] = "/nonexistent";
    diagnostics why;
    auto found = gcp::find_credentials(variables, why);
    REQUIRE_MESSAGE(found.has_value(), describe(found ? error_code() : found.error(), why));
    gcp::client_options options = options_for(server);
    options.project.clear();
    cloud there(*found, options);
    CHECK(is_token(there.token()));
    const auto project = there.operation<std::string>(
        [&](diagnostics& said, auto token) { gcp::async_project_id(there.google, said, std::move(token)); });
    CHECK(!project.code);
    CHECK(project.value == "dockline-test");

    // Some other server at that address is not believed.
    server.settings(R"({"flavour": false})");
    cloud elsewhere(*found, options);
    CHECK(elsewhere.token().code);
  }

  TEST_CASE("over TLS the server has to be known") {
    const google_server server({"--tls"});
    CHECK(server.base().starts_with("https://"));
    cloud known(server, "authorized_user");
    CHECK(is_token(known.token()));
    gcp::client_options options = options_for(server);
    options.ca_file.clear();
    cloud unknown(credentials_of(server, "authorized_user"), options);
    const auto seen = unknown.token();
    CHECK(seen.code == errc::tls_failed);
  }
}

}  // namespace dockline::test
