#include "doctor_google_checks.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace dockline::tool {
namespace {

using archive::scratch_tree;

findings google(gcp::environment variables) {
  findings found("google", "Google Cloud");
  check_google(variables, found);
  return found;
}

bool report_says(const findings& found, std::string_view words) {
  return report_text({found}).find(words) != std::string::npos;
}

}  // namespace

TEST_SUITE("tools/doctor_google") {
  TEST_CASE("a project and credentials, what is missing, what is broken; no secret") {
    const scratch_tree tree;
    const gcp::environment home = {{"HOME", tree.root()}, {"CLOUDSDK_CONFIG", tree.path("gcloud")}};
    const auto with = [&](gcp::environment more) {
      more.insert(home.begin(), home.end());
      return google(std::move(more));
    };
    // Whoever has neither does not use Google.
    if (report_says(with({}), "Credentials:       none")) {
      CHECK(with({}).problems.empty());
      const findings lonely = with({{"GOOGLE_CLOUD_PROJECT", "p-1"}});
      CHECK(report_says(lonely, "Project:           p-1\n"));
      CHECK(report_says(lonely, "cure: gcloud auth application-default login"));
      CHECK(is_usable({lonely}));
    }
    tree.file(
        "user.json",
        R"({"type":"authorized_user","client_id":"c","client_secret":"hunter2","refresh_token":"hunter3"})");
    const findings user = with({{"GOOGLE_APPLICATION_CREDENTIALS", tree.path("user.json")}});
    CHECK(report_says(user, "user.json"));
    CHECK(report_says(user, "no project is named"));
    CHECK_FALSE(report_says(user, "hunter"));
    const findings both =
        with({{"GOOGLE_APPLICATION_CREDENTIALS", tree.path("user.json")}, {"GOOGLE_CLOUD_PROJECT", "p-1"}});
    CHECK(both.problems.empty());
    tree.file("user.json", "{ oops");
    const findings broken = with({{"GOOGLE_APPLICATION_CREDENTIALS", tree.path("user.json")}});
    CHECK(broken.problems.size() == 1);
    CHECK(report_says(broken, "cure: mend the file"));
    CHECK(is_usable({broken}));
  }

  TEST_CASE("a bucket: that it is there, whose it is, what is not permitted there") {
    const auto looked = [](const std::optional<gcp::stored_bucket>& seen) {
      findings found("google", "Google Cloud");
      check_bucket("box", "p-1", seen, found);
      return found;
    };
    const findings absent = looked(std::nullopt);
    CHECK(absent.problems.empty());
    CHECK(report_says(absent, "Bucket:            gs://box\n  It is there:       no\n"));
    gcp::stored_bucket bucket;
    bucket.name = "box";
    // Who may not look is told no more.
    CHECK(looked(bucket).problems.empty());
    bucket.location = "EU";
    bucket.project_number = "77";
    bucket.own = true;
    bucket.missing_permissions.emplace(1, "storage.objects.delete");
    const findings own = looked(bucket);
    CHECK(own.problems.empty());
    CHECK(report_says(own, "Its location:      EU\n  Its project:       p-1\n"));
    CHECK(report_says(own, "storage.objects.delete"));
    bucket.own = false;
    bucket.missing_permissions = {"storage.objects.create", "storage.objects.get"};
    const findings other = looked(bucket);
    CHECK(report_says(other, "Its project:       number 77\n"));
    CHECK(report_says(other, "gs://box is not one of the project p-1"));
    CHECK(report_says(other, "storage.objects.create is missing on gs://box"));
    CHECK(report_says(other, "cure: give the role roles/storage.objectViewer on it"));
    CHECK(other.problems.size() == 3);
    CHECK(is_usable({other}));
  }
}

}  // namespace dockline::tool
