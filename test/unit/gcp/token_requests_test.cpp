#include "gcp/token_requests.hpp"

#include "dockline/core/diagnostics.hpp"

#include "gcp/aws_request.hpp"
#include "gcp/token_age.hpp"
#include "unit/gcp/call_text.hpp"

#include <doctest/doctest.h>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

const clock_time now = clock_time(1'700'000'000s);  // 2023-11-14T22:13:20Z

api_answer refusal(int status, std::string body, std::string date = "Tue, 14 Nov 2023 22:13:20 GMT") {
  api_answer answer;
  answer.head.status = status;
  answer.head.fields.push_back({"Date", std::move(date)});
  answer.body = std::move(body);
  return answer;
}

credential_source a_user() {
  credential_source source;
  source.who = authorized_user();
  return source;
}

credential_source an_account() {
  service_account who;
  who.email = "a@b";
  credential_source source;
  source.who = who;
  return source;
}

std::string explained(const credential_source& who, const api_answer& answer) {
  diagnostics why;
  const error_code code = explain_refusal(who, answer, now, why);
  CHECK(code == errc::token_refused);
  return describe(code, why);
}

const std::string form = "Content-Type: application/x-www-form-urlencoded\n\n";

}  // namespace

TEST_SUITE("gcp/token_requests") {
  TEST_CASE("an assertion and a refresh token") {
    service_account who;
    who.token_url = "https://t.example/t";
    CHECK(text(exchange_assertion(who, "a.b.c")) ==
          "POST https://t.example/t\n" + form +
              "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c");
    authorized_user person;
    person.client_id = "ci";
    person.client_secret = "c s";
    person.refresh_token = "1//r";
    person.token_url = "https://t.example/t";
    CHECK(text(refresh_user(person)) ==
          "POST https://t.example/t\n" + form +
              "grant_type=refresh_token&refresh_token=1%2F%2Fr&client_id=ci&client_secret=c+s");
    person.by_workforce = true;
    CHECK(text(refresh_user(person)) == "POST https://t.example/t\nAuthorization: Basic Y2k6Yytz\n" + form +
                                            "grant_type=refresh_token&refresh_token=1%2F%2Fr");
  }

  TEST_CASE("a subject token is exchanged") {
    external_account who;
    who.token_url = "https://sts.example/v1/token";
    who.audience = "//iam/pool";
    who.subject_token_type = "urn:tt";
    who.workforce_project = "77";
    const std::string body =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=%2F%2Fiam%2Fpool&"
        "scope=s1&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&"
        "subject_token=st&subject_token_type=urn%3Att";
    CHECK(text(exchange_subject(who, "st", "s1")) == "POST https://sts.example/v1/token\n" + form + body +
                                                         "&options=%7B%22userProject%22%3A%2277%22%7D");
    who.client_id = "i";
    who.client_secret = "s";
    CHECK(text(exchange_subject(who, "st", "s1")) ==
          "POST https://sts.example/v1/token\nAuthorization: Basic aTpz\n" + form + body);
  }

  TEST_CASE("the project of an external account's pool is in its audience") {
    struct row {
      const char* audience;
      const char* number;
    };
    for (const row& one :
         {row{"//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/p/providers/q",
              "123"},
          row{"//iam.googleapis.com/projects/name/locations/global/workloadIdentityPools/p/providers/q", ""},
          row{"//iam.googleapis.com/projects/", ""},
          row{"//iam.googleapis.com/locations/global/workforcePools/p/providers/q", ""},
          row{"https://example.com/projects/123/", ""}}) {
      CAPTURE(one.audience);
      external_account who;
      who.audience = one.audience;
      CHECK(project_number(who) == one.number);
    }
  }

  TEST_CASE("a universe is a domain's name") {
    for (const auto good : {"googleapis.com", "u-1.example"}) CHECK(is_host_name(good));
    for (const auto bad : {"", "a b", "a/b", "u.example\n", "user@u.example", "<html>"}) {
      CAPTURE(bad);
      CHECK_FALSE(is_host_name(bad));
    }
    CHECK_FALSE(is_host_name(std::string(254, 'a')));
  }

  TEST_CASE("the next refresh token, where an answer brings one") {
    CHECK(read_next_refresh_token(R"({"access_token":"t","refresh_token":"next"})") == "next");
    for (const auto* none : {R"({"access_token":"t"})", R"({"refresh_token":7})", "[]", "no"})
      CHECK(read_next_refresh_token(none).empty());
  }

  TEST_CASE("an impersonation, and the metadata server") {
    CHECK(text(impersonate("https://iam.example/x", {"d@b", "projects/-/serviceAccounts/e@b"}, "s1 s2", 600s,
                           "tok")) ==
          "POST https://iam.example/x\nAuthorization: Bearer tok\nContent-Type: application/json; "
          "charset=UTF-8\n\n"
          R"({"delegates":["projects/-/serviceAccounts/d@b","projects/-/serviceAccounts/e@b"],)"
          R"("scope":["s1","s2"],"lifetime":"600s"})");
    CHECK(text(metadata_token("", "https://s/1 s2")) ==
          "GET http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/"
          "token?scopes=https%3A%2F%2Fs%2F1%2Cs2\nMetadata-Flavor: Google\n\n");
    CHECK(ask_metadata("127.0.0.1:9", "project/project-id").url ==
          "http://127.0.0.1:9/computeMetadata/v1/project/project-id");
  }

  TEST_CASE("answers with a token") {
    diagnostics why;
    const auto plain = read_token(R"({"access_token":"t","expires_in":100,"token_type":"Bearer"})", now, why);
    CHECK(plain->value == "t");
    CHECK(plain->expires == now + 100s);
    CHECK(read_token(R"({"access_token":"t","expires_in":"100"})", now, why)->expires == now + 100s);
    CHECK(read_token(R"({"access_token":"t"})", now, why)->expires == now + 3600s);
    for (const char* bad : {"", "{}", "[]", R"({"access_token":1})", R"({"id_token":"x"})"})
      CHECK(read_token(bad, now, why).error() == errc::unexpected_answer);
    const auto other = read_impersonated(R"({"accessToken":"t","expireTime":"2023-11-14T22:13:30Z"})", why);
    CHECK(other->expires == now + 10s);
    CHECK(read_impersonated(R"({"accessToken":"t","expireTime":"soon"})", why).error() ==
          errc::unexpected_answer);
  }

  TEST_CASE("refusals say what to run") {
    CHECK(explained(
              a_user(),
              refusal(
                  400,
                  R"({"error":"invalid_grant","error_description":"Token has been expired or revoked."})")) ==
          "no access token for the user's credentials: invalid_grant; run: gcloud auth application-default "
          "login: Token has been expired or revoked.");
    CHECK(
        explained(
            an_account(),
            refusal(400,
                    R"({"error":"invalid_grant","error_description":"Invalid grant: account not found"})")) ==
        "no access token for the service account a@b: invalid_grant; is the key still there, and the account "
        "enabled? gcloud iam service-accounts keys list: Invalid grant: account not found");
    CHECK(explained(an_account(),
                    refusal(400, R"({"error":"invalid_grant"})", "Tue, 14 Nov 2023 22:03:20 GMT")) ==
          "no access token for the service account a@b: invalid_grant; this machine's clock is 10 minutes "
          "ahead of the server's: set it right");
    CHECK(explained(an_account(), refusal(400, "", "Tue, 14 Nov 2023 22:23:20 GMT"))
              .find("10 minutes behind the server's") != std::string::npos);
    CHECK(explained(a_user(), refusal(503, "")) == "no access token for the user's credentials: status 503");
    CHECK(may_pass(refusal(503, "")));
    CHECK(may_pass(refusal(400, R"({"error":"internal_failure"})")));
    CHECK_FALSE(may_pass(refusal(400, R"({"error":"invalid_grant"})")));
  }

  TEST_CASE("subject tokens") {
    diagnostics why;
    token_format format;
    CHECK(read_subject("tok\n", format, "f", why).value() == "tok");
    CHECK(read_subject(" \n", format, "f", why).error() == errc::bad_configuration);
    format.json = true;
    format.field = "a";
    CHECK(read_subject(R"({"a":"tok"})", format, "f", why).value() == "tok");
    CHECK(read_subject(R"({"b":"tok"})", format, "f", why).error() == errc::bad_configuration);
    CHECK(why.client_message() == "f: has no \"a\"");
    CHECK(read_subject("tok", format, "f", why).error() == errc::bad_configuration);
  }

  TEST_CASE("a project's id, and the keys of a machine's role") {
    CHECK(read_project_id(R"({"projectNumber":"77","projectId":"p1"})") == "p1");
    for (const char* none : {"", "[]", "{}", R"({"projectId":5})"}) CHECK(read_project_id(none).empty());
    const aws_keys keys = read_aws_keys(R"({"AccessKeyId":"a","SecretAccessKey":"s","Token":"t"})");
    CHECK(keys.access_key + keys.secret_key + keys.session_token == "ast");
    CHECK(read_aws_keys("<html>").access_key.empty());
  }

  TEST_CASE("what a program answers") {
    diagnostics why;
    const std::string id = "urn:ietf:params:oauth:token-type:id_token";
    const std::string saml = "urn:ietf:params:oauth:token-type:saml2";
    const auto good = read_program_answer(R"({"version":1,"success":true,"token_type":")" + id +
                                              R"(","id_token":"t","expiration_time":1700000000})",
                                          id, why);
    CHECK(good->token == "t");
    CHECK(good->expires == now);
    CHECK(read_program_answer(
              R"({"version":1,"success":true,"token_type":")" + saml + R"(","saml_response":"t"})", saml, why)
              ->token == "t");
    CHECK(read_program_answer(R"({"version":1,"success":false,"code":"401","message":"log in"})", id, why)
              .error() == errc::token_refused);
    CHECK(describe(errc::token_refused, why) == "the credentials' program failed with the code 401: log in");
    for (const std::string& bad :
         {std::string(), std::string("{}"), std::string(R"({"version":2,"success":true})"),
          std::string(R"({"version":1})"), R"({"version":1,"success":true,"token_type":")" + id + "\"}",
          R"({"version":1,"success":true,"token_type":")" + saml + R"(","id_token":"t"})"})
      CHECK(read_program_answer(bad, id, why).error() == errc::bad_configuration);
  }

  TEST_CASE("times that no clock has") {
    diagnostics why;
    const std::string huge = "9223372036854775807";
    const auto token = read_token(R"({"access_token":"t","expires_in":)" + huge + "}", now, why);
    REQUIRE(token.has_value());
    CHECK(token->expires > now + std::chrono::hours(24 * 365));
    const auto past = read_token(R"({"access_token":"t","expires_in":-)" + huge + "}", now, why);
    REQUIRE(past.has_value());
    CHECK(past->expires == now);
    const std::string id = "urn:ietf:params:oauth:token-type:id_token";
    const auto program = read_program_answer(R"({"version":1,"success":true,"token_type":")" + id +
                                                 R"(","id_token":"t","expiration_time":)" + huge + "}",
                                             id, why);
    REQUIRE(program.has_value());
    CHECK(*program->expires > now);
  }

  TEST_CASE("times") {
    CHECK(parse_http_date("Tue, 14 Nov 2023 22:13:20 GMT") == now);
    for (const char* bad : {"", "Tue, 14 Foo 2023 22:13:20 GMT", "Tue, 14 ovD 2023 22:13:20 GMT", "now"})
      CHECK_FALSE(parse_http_date(bad));
  }

  TEST_CASE("a request that AWS would take") {
    // Signatures by an implementation of another hand.
    aws_keys keys;
    keys.access_key = "AKIDEXAMPLE";
    keys.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    diagnostics why;
    const std::string url = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
    const auto plain = sign_aws_request(keys, url, "us-east-2", "//iam.example/pool", now, why);
    REQUIRE(plain.has_value());
    CHECK(plain->starts_with("%7B%22url%22%3A%22https%3A%2F%2Fsts.us-east-2.amazonaws.com%3FAction%3D"));
    CHECK(plain->find("49df61cc661f27f7c0634e8421954c7ca41c8799f0c7c6aa026d3d88c2c68182") !=
          std::string::npos);
    CHECK(plain->find(
              "AWS4-HMAC-SHA256%20Credential%3DAKIDEXAMPLE%2F20231114%2Fus-east-2%2Fsts%2Faws4_request") !=
          std::string::npos);
    keys.session_token = "sess/tok=";
    const auto session = sign_aws_request(keys, url, "us-east-2", "//iam.example/pool", now, why);
    CHECK(session->find("e5f677e3195f46125206c88e2a7900f518f75c0c9583d7fb4fb04bed0afc5edb") !=
          std::string::npos);
    CHECK(session->find(keys.secret_key) == std::string::npos);
  }

  TEST_CASE("when a token is renewed") {
    kept_token hour;
    hour.since = now;
    hour.token.expires = now + 3600s;
    CHECK(age_of(hour, now) == token_age::fresh);
    CHECK(age_of(hour, now + 3374s) == token_age::fresh);
    CHECK(age_of(hour, now + 3375s) == token_age::aging);
    CHECK(age_of(hour, now + 3589s) == token_age::aging);
    CHECK(age_of(hour, now + 3590s) == token_age::expired);
    CHECK(age_of(hour, now - 2h) == token_age::expired);
    // What is left of another's token: no request for each use.
    kept_token rest;
    rest.since = now;
    rest.token.expires = now + 8s;
    CHECK(age_of(rest, now) == token_age::fresh);
    CHECK(age_of(rest, now + 5s) == token_age::fresh);
    CHECK(age_of(rest, now + 6s) == token_age::aging);
    CHECK(age_of(rest, now + 7s) == token_age::expired);
  }
}

}  // namespace dockline::gcp
