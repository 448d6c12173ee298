#include "doctor_google.hpp"

#include <dockline/core/diagnostics.hpp>
#include <dockline/gcp/client.hpp>
#include <dockline/gcp/credentials.hpp>

#include "doctor_google_checks.hpp"
#include "google_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace dockline::tool {

void check_google(const gcp::environment& variables, findings& google) {
  diagnostics why;
  const auto who = gcp::find_credentials(variables, why);
  const std::string project =
      gcp::known_project(gcp::client_options_from(variables), who ? *who : gcp::no_credentials());
  google.add("project", "Project", project);
  google.add("credentials", "Credentials", who ? who->description() : std::string("none"));
  google.add("credentials_file", "Their file", who ? who->path() : std::string());
  if (!who && who.error() != errc::no_credentials) {
    google.warn(describe(who.error(), why),
                "mend the file, or log in anew: gcloud auth application-default login");
  } else if (!who && !project.empty()) {
    // Without a project nobody seems to want Google.
    google.warn("there is a project, but there are no credentials for it",
                "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS=KEY-FILE");
  } else if (who && project.empty() && !who->path().empty()) {
    google.warn("there are credentials, but no project is named",
                "set GOOGLE_CLOUD_PROJECT, or: gcloud config set project ID");
  }
}

void check_bucket(const std::string& bucket, const std::string& project,
                  const std::optional<gcp::stored_bucket>& found, findings& google) {
  const std::string where = "gs://" + bucket;
  google.add("bucket", "Bucket", where);
  google.add("bucket_exists", "It is there", found.has_value());
  // A build makes it.
  if (!found) return;
  std::string whose;
  if (found->own.value_or(false)) {
    whose = project;
  } else if (!found->project_number.empty()) {
    whose = "number " + found->project_number;
  }
  google.add("bucket_location", "Its location", found->location);
  google.add("bucket_project", "Its project", whose);
  if (found->own == false)
    google.warn(where + " is not one of the project " + project, "choose another name, if it should be");
  const auto missing = found->missing_permissions.value_or(std::vector<std::string>());
  if (found->missing_permissions) google.add("bucket_missing_permissions", "Not permitted", missing);
  const auto warn = [&](const std::string& permission, const std::string& what, const std::string& role) {
    if (std::ranges::find(missing, permission) != missing.end())
      google.warn(permission + " is missing on " + where + ": " + what, "give the role " + role + " on it");
  };
  warn("storage.objects.create", "nothing can be sent there", "roles/storage.objectCreator");
  warn("storage.objects.get", "what is there is sent again, and logs cannot be shown",
       "roles/storage.objectViewer");
}

namespace {

boost::asio::awaitable<error_code> look_at_bucket(boost::asio::any_io_executor executor,
                                                  global_options global, google_question asked,
                                                  findings& google) {
  const std::string where = "gs://" + asked.bucket;
  diagnostics why;
  const auto client = google_client(executor, global, asked.project, why);
  if (!client) {
    google.add("bucket", "Bucket", where);
    // What is wrong with a file of credentials was said.
    if (client.error() == errc::no_credentials)
      google.warn("there are no credentials to look at " + where + " with", why.client_message());
    co_return error_code();
  }
  const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  auto [unknown, project] = co_await gcp::async_project_id(*client, why, token);
  if (unknown == condition::cancelled) co_return unknown;
  // Without it there is less to say.
  why.clear();
  auto [failed, found] = co_await gcp::async_find_bucket(*client, asked.bucket, why, token);
  if (failed == condition::cancelled) co_return failed;
  if (!failed) {
    check_bucket(asked.bucket, project, found, google);
    co_return error_code();
  }
  google.add("bucket", "Bucket", where);
  google.warn(where + " cannot be looked at: " + describe(failed, why), "");
  co_return error_code();
}

}  // namespace

boost::asio::awaitable<error_code> look_at_google(boost::asio::any_io_executor executor,
                                                  global_options global, google_question asked,
                                                  std::vector<findings>& all) {
  findings google("google", "Google Cloud");
  gcp::environment variables = gcp::environment_of_process();
  if (!asked.project.empty()) variables.insert_or_assign("GOOGLE_CLOUD_PROJECT", asked.project);
  check_google(variables, google);
  error_code failure;
  if (!asked.bucket.empty())
    failure = co_await look_at_bucket(executor, std::move(global), std::move(asked), google);
  all.push_back(std::move(google));
  co_return failure;
}

}  // namespace dockline::tool
