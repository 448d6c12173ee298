// Access tokens for credentials of every type, from the tests' Google, and what there is to say where it
// gives none.

#include "dockline/gcp/storage.hpp"

#include "exchange/gcp/cloud.hpp"
#include "gcp/client_state.hpp"
#include "support/relay.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

  TEST_CASE(
      "a program gives a workload's token where that is allowed; its kept answer is used while it is good") {
    const google_server server;
    const std::string path = server.credentials_file("external_program");
    const std::string program = path.substr(0, path.rfind('/')) + "/subject-program";
    for (const char* value : {"", "0", "true"}) {
      diagnostics why;
      const gcp::environment variables{{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", value}};
      const auto read = gcp::parse_credentials(content_of(path), path, variables, why);
      REQUIRE(!read.has_value());
      CHECK(read.error() == errc::bad_configuration);
      CHECK(why.client_message().find("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1") != std::string::npos);
    }
    CHECK(content_of(program + ".runs").empty());
    const gcp::environment allowed{{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"}};
    std::string failing = content_of(path);
    const std::string word = "subject-token-good";
    failing.replace(failing.find(word), word.size(), "fail");
    diagnostics why;
    auto who = gcp::parse_credentials(failing, path, allowed, why);
    REQUIRE_MESSAGE(who.has_value(), why.client_message());
    cloud refused(*who, options_for(server));
    const auto seen = refused.token();
    CHECK(seen.code == errc::token_refused);
    CHECK(says(seen, "nobody is logged in"));
    CHECK(content_of(program + ".runs") == "x");
    for (int i = 0; i < 2; ++i) {
      cloud there(credentials_of(server, "external_program", allowed), options_for(server));
      CHECK(is_token(there.token()));
    }
    CHECK(content_of(program + ".runs") == "xx");
  }

  TEST_CASE("requests are counted for the quota project: of the options, else of the credentials") {
    const google_server server({"--bucket", "box"});
    // The outcome, and whom the one request was counted for.
    const auto look = [&](const char* type, const std::string& project) {
      server.forget_log();
      gcp::client_options options = options_for(server);
      options.quota_project = project;
      cloud there(credentials_of(server, type), options);
      const auto seen = there.operation<std::optional<gcp::stored_object>>([&](diagnostics& why, auto token) {
        gcp::async_find_object(there.google, "box", "x", why, std::move(token));
      });
      json::document log;
      REQUIRE(!log.parse(server.control("GET", "log", {})));
      std::string counted;
      for (const json::value entry : log.root().elements()) {
        if (entry.find("path").string_or_empty().starts_with("/storage/"))
          counted += '<' + std::string(entry.find("quota").string_or_empty()) + '>';
      }
      return std::pair(seen, counted);
    };
    const auto own = look("authorized_user", "");
    CHECK_MESSAGE(!own.first.code, own.first.words());
    CHECK(own.second == "<dockline-test>");
    const auto other = look("authorized_user", "123456789012");
    CHECK_MESSAGE(!other.first.code, other.first.words());
    CHECK(other.second == "<123456789012>");
    CHECK(look("service_account", "").second == "<>");
    // Of somebody else: Google's words say what is missing.
    const auto strange = look("service_account", "of-others");
    CHECK(strange.first.code == errc::denied);
    CHECK(strange.first.words().find("serviceusage.services.use") != std::string::npos);
    CHECK(strange.second == "<of-others>");
    CHECK(gcp::client_options_from({{"GOOGLE_CLOUD_QUOTA_PROJECT", "q"}}).quota_project == "q");
  }

  TEST_CASE(
      "a token that a key signed and a service refuses is followed by one from the token's server, once") {
    const google_server server({"--bucket", "box"});
    cloud there(server);
    const auto look = [&] {
      return there.operation<std::optional<gcp::stored_object>>([&](diagnostics& why, auto token) {
        gcp::async_find_object(there.google, "box", "x", why, std::move(token));
      });
    };
    server.faults(R"({"path": "^/storage/", "nth": 1, "action": {"status": 401}})");
    const auto seen = look();
    CHECK_MESSAGE(!seen.code, seen.words());
    CHECK(server.count("GET", "/storage/") == 2);
    CHECK(server.count("POST", "/token") == 1);
    // What was found out is not forgotten.
    CHECK(!look().code);
    CHECK(server.count("GET", "/storage/") == 3);
    CHECK(server.count("POST", "/token") == 1);
    // Where that one is refused as well, it ends.
    server.no_faults();
    server.forget_log();
    server.faults(R"({"path": "^/storage/", "action": {"status": 401}})");
    CHECK(look().code == condition::unauthorized);
    CHECK(server.count("GET", "/storage/") == 2);
    CHECK(server.count("POST", "/token") == 1);
  }

  TEST_CASE(
      "a token that is about to expire is given out while another one is fetched, which nobody waits for") {
    const google_server server;
    cloud there(server, "authorized_user");
    auto passed = std::make_shared<std::chrono::seconds>(0);
    there.google.state()->now = [passed] { return std::chrono::system_clock::now() + *passed; };
    const auto first = there.token();
    REQUIRE(is_token(first));
    *passed += 3500s;  // of 3599
    server.faults(R"({"path": "^/token", "action": {"delay": 1}})");
    const auto began = std::chrono::steady_clock::now();
    std::array<std::shared_ptr<outcome<gcp::access_token>>, 5> users;
    for (auto& one : users) one = there.begin_token();
    while (users.back()->completions == 0 && std::chrono::steady_clock::now() - began < patience)
      there.context.run_for(1ms);
    CHECK(std::chrono::steady_clock::now() - began < 900ms);
    for (const auto& one : users) {
      CHECK(one->completions == 1);
      CHECK(one->value.value == first.value.value);
    }
    there.run();
    CHECK(server.count("POST", "/token") == 2);
    const auto second = there.token();
    CHECK(is_token(second));
    CHECK(second.value.value != first.value.value);
    CHECK(server.count("POST", "/token") == 2);
    // A renewal that fails hurts nobody while the token is good, and is not tried with each use.
    server.no_faults();
    server.faults(R"({"path": "^/token", "action": {"status": 400}})");
    *passed += 3500s;
    for (int i = 0; i < 3; ++i) CHECK(there.token().value.value == second.value.value);
    CHECK(server.count("POST", "/token") == 3);
    server.no_faults();
    *passed += 11s;
    CHECK(there.token().value.value == second.value.value);
    const auto third = there.token();
    CHECK(is_token(third));
    CHECK(third.value.value != second.value.value);
    CHECK(server.count("POST", "/token") == 4);
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

  TEST_CASE(
      "one of those that wait for it is cancelled: the request goes on for the others, until nobody is "
      "left") {
    for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
      CAPTURE(static_cast<unsigned>(type));
      std::array<gate, 3> asked;
      gate may_answer;
      fake_daemon daemon([&](peer& client) {
        client.read_request();
        asked.at(client.number()).open();
        // The second request is never answered.
        if (client.number() == 1) return client.wait_for_close();
        if (client.number() == 0) may_answer.wait();
        std::string answer =
            json_answer(R"({"access_token":"ya29.c.t","expires_in":1,"token_type":"Bearer"})");
        client.send(answer.insert(answer.find("\r\n"), "\r\nConnection: close"));
        client.close();
      });
      const relay web("127.0.0.1", daemon.host());
      const std::string user =
          R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","token_uri":)"
          "\"http://127.0.0.1:" +
          std::to_string(web.port()) + "/token\"}";
      diagnostics why;
      auto who = gcp::parse_credentials(user, "user.json", gcp::environment(), why);
      REQUIRE_MESSAGE(who.has_value(), describe(who ? error_code() : who.error(), why));
      {
        cloud there(std::move(*who), gcp::client_options());
        auto passed = std::make_shared<std::chrono::seconds>(0);
        there.google.state()->now = [passed] { return std::chrono::system_clock::now() + *passed; };
        asio::cancellation_signal stop_first;
        const auto begin_first = [&] {
          auto seen = std::make_shared<outcome<gcp::access_token>>();
          gcp::async_access_token(
              there.google, std::string(gcp::cloud_platform_scope), seen->why,
              asio::bind_cancellation_slot(stop_first.slot(), [seen](error_code code, gcp::access_token) {
                ++seen->completions;
                seen->code = code;
              }));
          return seen;
        };
        // The first one is who asks.
        const auto first = begin_first();
        const auto second = there.begin_token();
        run_until(there.context, asked[0]);
        stop_first.emit(type);
        const auto end = std::chrono::steady_clock::now() + patience;
        while (first->completions == 0 && std::chrono::steady_clock::now() < end) there.context.run_for(1ms);
        CHECK(first->completions == 1);
        CHECK(first->code == condition::cancelled);
        CHECK(second->completions == 0);
        may_answer.open();
        CHECK(is_token(there.end_of(second)));

        // Nobody is left: the request ends as well, and the next one is asked anew.
        *passed += 3600s;
        const auto third = begin_first();
        const auto fourth = there.begin_token();
        run_until(there.context, asked[1]);
        stop_first.emit(type);
        there.cancel.emit(type);
        there.run();
        CHECK(third->completions == 1);
        CHECK(third->code == condition::cancelled);
        CHECK(fourth->completions == 1);
        CHECK(fourth->code == condition::cancelled);
        CHECK(is_token(there.token()));
      }
      const auto records = daemon.wait(3);
      REQUIRE(records.size() == 3);
      for (const seen_connection& one : records) CHECK(one.requests.size() == 1);
      CHECK(records[1].client_closed);
    }
  }

  TEST_CASE("a token is used however short its life is") {
    const google_server server;
    server.settings(R"({"token_lifetime": 9, "expires_in_as_text": true})");
    cloud there(server, "authorized_user");
    CHECK(is_token(there.token()));
    CHECK(is_token(there.token()));
    CHECK(server.count("POST", "/token") == 1);
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
    CHECK(elsewhere.token().code == errc::no_credentials);
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
