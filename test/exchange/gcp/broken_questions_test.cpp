// Tokens, projects, objects and buckets, asked for over a line that breaks: see broken_cloud.hpp.

#include "dockline/gcp/credentials.hpp"
#include "dockline/gcp/storage.hpp"

#include "exchange/gcp/broken_cloud.hpp"
#include "support/scripted_source.hpp"

#include <optional>
#include <string>

namespace dockline::test {
namespace {

// An object of ten bytes in the bucket of the tests' Google.
gcp::stored_object put_object(const broken_cloud& on, std::string name) {
  cloud there = on.undisturbed();
  gcp::upload_options options;
  options.bucket = "box";
  options.object = std::move(name);
  const auto executor = there.context.get_executor();
  const auto seen = there.operation<gcp::stored_object>([&](diagnostics& why, auto token) {
    gcp::async_upload(
        there.google, [executor] { return std::make_shared<scripted_source>(executor, 10); }, options, {},
        why, std::move(token));
  });
  REQUIRE_MESSAGE(!seen.code, seen.words());
  return seen.value;
}

}  // namespace

TEST_SUITE("exchange/broken lines") {
  TEST_CASE("a token is asked for again when its line breaks, and is the right one") {
    broken_cloud on;
    // One question, and three that follow each other: a workload's token, Google's for it, another account's for that.
    for (const char* who : {"authorized_user", "external_impersonated"}) {
      CAPTURE(who);
      on.break_everywhere<gcp::access_token>(
          who, 6, broken_once::is_outlived,
          [](gcp::client& google, diagnostics& why, auto token) {
            gcp::async_access_token(google, std::string(gcp::cloud_platform_scope), why, std::move(token));
          },
          [](const gcp::access_token& token) {
            CHECK(token.value.starts_with("ya29.c."));
            CHECK(token.expires > std::chrono::system_clock::now() + 50min);
          });
    }
  }

  TEST_CASE("a project's name is asked for again when its line breaks, and is the right one") {
    broken_cloud on;
    const auto ask = [](gcp::client& google, diagnostics& why, auto token) {
      gcp::async_project_id(google, why, std::move(token));
    };
    on.break_everywhere(
        [&](const line_plan& how) {
          gcp::client_options options = on.options(how);
          options.project.clear();
          outcome<std::string> seen;
          {
            cloud line(gcp::metadata_credentials(), options);
            seen = line.operation<std::string>(
                [&](diagnostics& why, auto token) { ask(line.google, why, std::move(token)); });
          }
          CHECK_MESSAGE(static_cast<bool>(seen.code) != seen.why.empty(), seen.words());
          if (!seen.code && how.kind != line_fault::corrupt) CHECK(seen.value == on.google().told("project"));
          return !seen.code;
        },
        6, broken_once::is_outlived);
  }

  TEST_CASE("an object and a bucket are asked for again when their line breaks") {
    broken_cloud on;
    const gcp::stored_object there = put_object(on, "there");
    on.break_everywhere<std::optional<gcp::stored_object>>(
        "authorized_user", 6, broken_once::is_outlived,
        [](gcp::client& google, diagnostics& why, auto token) {
          gcp::async_find_object(google, "box", "there", why, std::move(token));
        },
        [&](const std::optional<gcp::stored_object>& found) {
          REQUIRE(found.has_value());
          CHECK(found->size == 10);
          CHECK(found->generation == there.generation);
          CHECK(found->crc32c == there.crc32c);
        });
    on.break_everywhere<std::optional<gcp::stored_bucket>>(
        "authorized_user", 6, broken_once::is_outlived,
        [](gcp::client& google, diagnostics& why, auto token) {
          gcp::async_find_bucket(google, "box", why, std::move(token));
        },
        [&](const std::optional<gcp::stored_bucket>& found) {
          REQUIRE(found.has_value());
          CHECK(found->name == "box");
          CHECK(found->own == std::optional<bool>(true));
          CHECK(found->missing_permissions == std::optional(std::vector<std::string>()));
        });
  }

  TEST_CASE(
      "an object that is removed over a line that breaks is gone, or that is an error; no other one goes") {
    broken_cloud on;
    put_object(on, "other");
    gcp::stored_object target = put_object(on, "target");
    const auto objects = [&] { return on.google().control("GET", "buckets/box/objects", {}); };
    on.break_everywhere<nothing>(
        "authorized_user", 6, broken_once::is_outlived,
        [&](gcp::client& google, diagnostics& why, auto token) {
          gcp::async_delete_object(google, "box", "target", target.generation, why, std::move(token));
        },
        [&](const nothing&) { CHECK(objects().find("target") == std::string::npos); },
        [&](bool, const nothing&) {
          CHECK(objects().find("other") != std::string::npos);
          if (objects().find("target") == std::string::npos) target = put_object(on, "target");
        });
  }
}

}  // namespace dockline::test
