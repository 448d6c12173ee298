#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/credentials.hpp"

#include "gcp/credential_source.hpp"
#include "unit/gcp/test_key.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace dockline::gcp {
namespace {

const environment nothing;

// The words of a refusal.
std::string refused(std::string_view text, const environment& variables = nothing) {
  diagnostics why;
  const auto read = parse_credentials(text, "c.json", variables, why);
  if (read) return "read: " + read->description();
  CHECK(read.error() == errc::bad_configuration);
  CHECK(why.client_message().find("hunter2") == std::string::npos);
  return why.client_message();
}

std::shared_ptr<const credential_source> accepted(std::string_view text,
                                                  const environment& variables = nothing) {
  diagnostics why;
  const auto read = parse_credentials(text, "c.json", variables, why);
  CHECK_MESSAGE(read.has_value(), why.client_message());
  REQUIRE(read.has_value());
  CHECK(why.empty());
  return read->source();
}

const std::string user =
    R"({"type":"authorized_user","client_id":"ci","client_secret":"hunter2","refresh_token":"hunter2",)"
    R"("quota_project_id":"q1"})";

std::string external(const std::string& subject, const std::string& more = "") {
  return R"({"type":"external_account","audience":"//iam.example/pool","subject_token_type":"tt",)"
         R"("token_url":"https://sts.example/v1/token","credential_source":)" +
         subject + more + "}";
}

}  // namespace

TEST_SUITE("gcp/parse_credentials") {
  TEST_CASE("a service account's key") {
    const auto source = accepted(key_for_tests().file());
    const auto& who = std::get<service_account>(source->who);
    CHECK(who.email == "build@p1.iam.gserviceaccount.com");
    CHECK(who.key_id == "kid1");
    CHECK(who.private_key == key_for_tests().pem);
    CHECK(who.token_url == "https://oauth2.googleapis.com/token");
    CHECK(source->project == "p1");
    CHECK(source->universe == "googleapis.com");
    CHECK(source->path == "c.json");
    CHECK(credentials(source).description() == "service account build@p1.iam.gserviceaccount.com");

    const auto other = accepted(
        key_for_tests().file(R"(,"token_uri":"http://127.0.0.1:9/t","universe_domain":"u.example")"));
    CHECK(std::get<service_account>(other->who).token_url == "http://127.0.0.1:9/t");
    CHECK(other->universe == "u.example");
  }

  TEST_CASE("a user, and one of a workforce") {
    const auto source = accepted(user);
    const auto& who = std::get<authorized_user>(source->who);
    CHECK(who.client_id == "ci");
    CHECK(who.refresh_token == "hunter2");
    CHECK(who.token_url == "https://oauth2.googleapis.com/token");
    CHECK_FALSE(who.by_workforce);
    CHECK(source->quota_project == "q1");
    const auto workforce =
        accepted(R"({"type":"external_account_authorized_user","client_id":"ci","client_secret":"hunter2",)"
                 R"("refresh_token":"r","token_url":"https://sts.example/t"})");
    CHECK(std::get<authorized_user>(workforce->who).by_workforce);
    CHECK(std::get<authorized_user>(workforce->who).token_url == "https://sts.example/t");
  }

  TEST_CASE("an external account: its token in a file or behind a URL") {
    const auto file =
        accepted(external(R"({"file":"/tok","format":{"type":"json","subject_token_field_name":"t"}})"));
    const auto& who = std::get<external_account>(file->who);
    CHECK(who.audience == "//iam.example/pool");
    CHECK(who.token_url == "https://sts.example/v1/token");
    CHECK(who.impersonation_url.empty());
    const auto& subject = std::get<subject_file>(who.subject);
    CHECK(subject.path == "/tok");
    CHECK(subject.format.json);
    CHECK(subject.format.field == "t");

    const auto url = accepted(external(
        R"({"url":"http://169.254.169.254/x","headers":{"Metadata":"True"}})",
        R"(,"service_account_impersonation_url":"https://iam.example/v1/projects/-/serviceAccounts/a@b:generateAccessToken",)"
        R"("service_account_impersonation":{"token_lifetime_seconds":600},"client_id":"ci","client_secret":"cs")"));
    const auto& other = std::get<external_account>(url->who);
    CHECK(other.lifetime.count() == 600);
    CHECK(other.client_id == "ci");
    CHECK(std::get<subject_url>(other.subject).fields.at(0).first == "Metadata");
    CHECK(credentials(url).description() == "workload identity that acts as a@b");
  }

  TEST_CASE("a program is run only where that is allowed") {
    const std::string text =
        external(R"({"executable":{"command":"/bin/tok --for 'a b' \"c\\\"d\"","output_file":"/out"}})");
    CHECK(refused(text) ==
          "c.json: it names a program to run, which is allowed only with "
          "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1");
    environment allowed{{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"}, {"PATH", "/bin"}};
    const auto source = accepted(text, allowed);
    const auto& program = std::get<subject_program>(std::get<external_account>(source->who).subject);
    CHECK(program.arguments == std::vector<std::string>{"/bin/tok", "--for", "a b", "c\"d"});
    CHECK(program.timeout.count() == 30'000);
    CHECK(program.output_file == "/out");
    const auto has = [&](const char* text_of) {
      return std::ranges::find(program.environment, text_of) != program.environment.end();
    };
    CHECK(has("PATH=/bin"));
    CHECK(has("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE=//iam.example/pool"));
    CHECK(has("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE=tt"));
    CHECK(has("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE=0"));
    CHECK(has("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE=/out"));
    CHECK(refused(external(R"({"executable":{"command":"/x","timeout_millis":1}})"), allowed) ==
          "c.json: \"timeout_millis\" is from 5000 to 120000");
    CHECK(refused(external(R"({"executable":{"command":"/x 'y"}})"), allowed) ==
          "c.json: \"command\" cannot be read as one");
  }

  TEST_CASE("AWS") {
    const std::string text = external(
        R"({"environment_id":"aws1","region_url":"http://169.254.169.254/z","url":"http://169.254.169.254/r",)"
        R"("imdsv2_session_token_url":"http://169.254.169.254/s",)"
        R"("regional_cred_verification_url":"https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"})");
    const auto source = accepted(text, {{"AWS_DEFAULT_REGION", "eu-west-1"}, {"AWS_ACCESS_KEY_ID", "AK"}});
    const auto& aws = std::get<subject_aws>(std::get<external_account>(source->who).subject);
    CHECK(aws.region == "eu-west-1");
    CHECK(aws.access_key == "AK");
    CHECK(aws.session_url == "http://169.254.169.254/s");
    CHECK(refused(external(R"({"environment_id":"aws2"})")) ==
          "c.json: \"environment_id\": only aws1 is known");
  }

  TEST_CASE("an impersonation, with a chain of delegates") {
    const std::string head =
        R"({"type":"impersonated_service_account","service_account_impersonation_url":)"
        R"("https://iam.example/v1/projects/-/serviceAccounts/t@b:generateAccessToken","delegates":["d@b"],)"
        R"("source_credentials":)";
    const auto source = accepted(head + user + "}");
    const auto& who = std::get<impersonation>(source->who);
    CHECK(who.delegates == std::vector<std::string>{"d@b"});
    CHECK(std::holds_alternative<authorized_user>(who.source->who));
    CHECK(credentials(source).description() == "user's credentials that acts as t@b");
    CHECK(refused(head + head + user + "}}").find("name the chain as \"delegates\"") != std::string::npos);
  }

  TEST_CASE("what cannot be used is said, without its secrets") {
    CHECK(refused("hunter2") == "c.json: not a JSON object");
    CHECK(refused("") == "c.json: not a JSON object");
    CHECK(refused("[]") == "c.json: not a JSON object");
    CHECK(refused("{}") == "c.json: \"type\" is missing: no credentials file of Google's");
    CHECK(refused(R"({"type":"gdch_service_account"})") ==
          "c.json: credentials of the type \"gdch_service_account\" are not known here");
    CHECK(refused(R"({"type":"service_account","client_email":"e"})") ==
          "c.json: \"private_key\" is missing");
    CHECK(refused(R"({"type":"service_account","client_email":"e","private_key":"hunter2"})") ==
          "c.json: \"private_key\" is no RSA key in PEM form");
    CHECK(
        refused(
            R"({"type":"service_account","client_email":"e","private_key":"k","token_uri":"http://evil.example/"})") ==
        "c.json: \"token_uri\": secrets are sent to https:// only, this is http://evil.example");
    CHECK(refused(R"({"type":"authorized_user","client_id":"ci","client_secret":"hunter2"})") ==
          "c.json: \"refresh_token\" is missing");
    CHECK(refused(external("{}")) ==
          "c.json: \"credential_source\" names neither a file nor a url, an executable or AWS");
    CHECK(refused(external(R"({"url":"http://evil.example/"})")).find("https:// only") != std::string::npos);
    CHECK(refused(external(R"({"file":"/x","format":{"type":"yaml"}})")) ==
          "c.json: \"format\": \"type\" is text or json");
  }

  TEST_CASE("1 MiB of text and 16 levels, and no more") {
    const auto with = [](const std::string& more) {
      return user.substr(0, user.size() - 1) + ",\"x\":" + more + "}";
    };
    accepted(with("\"" + std::string(1'000'000, 'x') + "\""));
    CHECK(refused(with("\"" + std::string(1 << 20, 'x') + "\"")) == "c.json: not a JSON object");
    accepted(with(std::string(15, '[') + std::string(15, ']')));
    CHECK(refused(with(std::string(16, '[') + std::string(16, ']'))) == "c.json: not a JSON object");
  }

  TEST_CASE("commands are parted as a shell parts them") {
    using words = std::vector<std::string>;
    CHECK(split_command("") == words{});
    CHECK(split_command("  a  b\tc ") == words{"a", "b", "c"});
    CHECK(split_command("a '' \"\"") == words{"a", "", ""});
    CHECK(split_command("a\\ b 'c\\d' \"e\\f\"") == words{"a b", "c\\d", "e\\f"});
    CHECK_FALSE(split_command("a 'b"));
    CHECK_FALSE(split_command("a \"b\\\""));
  }
}

}  // namespace dockline::gcp
