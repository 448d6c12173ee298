#include "doctor_google.hpp"

#include <dockline/core/diagnostics.hpp>
#include <dockline/gcp/client.hpp>
#include <dockline/gcp/credentials.hpp>

#include "doctor_google_checks.hpp"

#include <string>

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

std::vector<findings> google_findings() {
  std::vector<findings> all(1, findings("google", "Google Cloud"));
  check_google(gcp::environment_of_process(), all.front());
  return all;
}

}  // namespace dockline::tool
