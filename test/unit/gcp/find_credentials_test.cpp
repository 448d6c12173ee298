#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/credentials.hpp"

#include "gcp/credential_source.hpp"
#include "unit/archive/scratch_tree.hpp"
#include "unit/gcp/test_key.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace dockline::gcp {
namespace {

using archive::scratch_tree;

constexpr auto well_known = "application_default_credentials.json";

// What a login leaves; which one shows in its quota project.
std::string login_of(const std::string& whose) {
  return R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r",)"
         R"("quota_project_id":")" +
         whose + "\"}";
}

// The quota project of those that are found, or the words of the refusal.
std::string found_with(const environment& variables) {
  diagnostics why;
  const auto who = find_credentials(variables, why);
  return who ? who->quota_project() : why.client_message();
}

std::string known_with(const environment& variables) {
  diagnostics why;
  const auto who = find_credentials(variables, why);
  return known_project(client_options_from(variables), who ? *who : no_credentials());
}

}  // namespace

TEST_SUITE("gcp/find_credentials") {
  TEST_CASE("the file that is named, gcloud's own folder, the home's; the first one counts, and it alone") {
    const scratch_tree tree;
    const std::string at_home = "home/.config/gcloud/" + std::string(well_known);
    tree.file(at_home, login_of("home"));
    tree.file("sdk/" + std::string(well_known), login_of("sdk"));
    tree.file("named.json", login_of("named"));
    environment variables{{"HOME", tree.path("home")}, {"NO_GCE_CHECK", "true"}};
    CHECK(found_with(variables) == "home");
    variables["CLOUDSDK_CONFIG"] = tree.path("sdk");
    CHECK(found_with(variables) == "sdk");
    variables["GOOGLE_APPLICATION_CREDENTIALS"] = tree.path("named.json");
    CHECK(found_with(variables) == "named");
    // What is there is not passed over, however broken it is.
    tree.file("named.json", "{");
    CHECK(found_with(variables) == tree.path("named.json") + ": not a JSON object");
    variables.erase("GOOGLE_APPLICATION_CREDENTIALS");
    tree.file("sdk/" + std::string(well_known), "{");
    CHECK(found_with(variables) == tree.path("sdk/") + well_known + ": not a JSON object");
    // Nor is the home's file looked at where gcloud's folder is another one.
    variables["CLOUDSDK_CONFIG"] = tree.path("nothing-here");
    CHECK(found_with(variables).starts_with("no Google Cloud credentials were found"));
    CHECK(found_with(variables).find("gcloud auth application-default login") != std::string::npos);
  }

  TEST_CASE("an emulator of storage needs none, and takes those that there are") {
    const scratch_tree tree;
    environment variables{{"HOME", tree.root()}, {"NO_GCE_CHECK", "true"}, {"STORAGE_EMULATOR_HOST", "h:1"}};
    diagnostics why;
    auto who = find_credentials(variables, why);
    REQUIRE(who.has_value());
    CHECK(std::holds_alternative<nobody>(who->source()->who));
    CHECK(who->path().empty());
    tree.file("named.json", login_of("named"));
    variables["GOOGLE_APPLICATION_CREDENTIALS"] = tree.path("named.json");
    CHECK(found_with(variables) == "named");
    tree.file("named.json", "{");
    CHECK(found_with(variables) == tree.path("named.json") + ": not a JSON object");
    const client_options options = client_options_from(variables);
    CHECK(options.storage_endpoint == "http://h:1");
    CHECK(options.anonymous_storage);
  }

  TEST_CASE("the project: each source, and which one goes before which") {
    const scratch_tree tree;
    tree.file("key.json", key_for_tests().file());  // of p1
    tree.file("gcloud/configurations/config_default",
              "[compute]\nproject = other\n[core]\nproject = active\n");
    tree.file("gcloud/configurations/config_work", "[core]\naccount = me\nproject=work\n");
    const std::vector<std::pair<std::string, std::string>> sources = {
        {"GOOGLE_CLOUD_PROJECT", "google"},
        {"GCLOUD_PROJECT", "gcloud"},
        {"GOOGLE_APPLICATION_CREDENTIALS", tree.path("key.json")},
        {"CLOUDSDK_CORE_PROJECT", "core"},
        {"CLOUDSDK_CONFIG", tree.path("gcloud")}};
    const std::vector<std::string> projects = {"google", "gcloud", "p1", "core", "active"};
    for (std::size_t first = 0; first < sources.size(); ++first) {
      CAPTURE(sources[first].first);
      // It alone, and with all that stand behind it.
      environment variables{{"NO_GCE_CHECK", "true"}, sources[first]};
      CHECK(known_with(variables) == projects[first]);
      variables.insert(sources.begin() + static_cast<std::ptrdiff_t>(first), sources.end());
      CHECK(known_with(variables) == projects[first]);
    }
    CHECK(known_with({{"NO_GCE_CHECK", "true"}}).empty());
    // Which configuration of gcloud is the active one.
    environment variables{{"NO_GCE_CHECK", "true"}, {"CLOUDSDK_CONFIG", tree.path("gcloud")}};
    tree.file("gcloud/active_config", "work\n");
    CHECK(known_with(variables) == "work");
    variables["CLOUDSDK_ACTIVE_CONFIG_NAME"] = "default";
    CHECK(known_with(variables) == "active");
    variables["CLOUDSDK_ACTIVE_CONFIG_NAME"] = "../configurations/config_work";
    CHECK(known_with(variables).empty());
    // What an operation is told goes before all of them.
    client_options told = client_options_from({sources.begin(), sources.end()});
    told.project = "told";
    CHECK(known_project(told, no_credentials()) == "told");
  }
}

}  // namespace dockline::gcp
