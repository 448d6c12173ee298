#pragma once

#include <dockline/gcp/environment.hpp>
#include <dockline/gcp/storage.hpp>

#include "doctor_report.hpp"

#include <optional>
#include <string>

namespace dockline::tool {

// The project and the credentials that these variables, and gcloud's files, name.
void check_google(const gcp::environment& variables, findings& google);

// A bucket that was looked for; nothing where it is not there. `project` is the one that is worked in.
void check_bucket(const std::string& bucket, const std::string& project,
                  const std::optional<gcp::stored_bucket>& found, findings& google);

}  // namespace dockline::tool
