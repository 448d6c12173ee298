#pragma once

#include <dockline/gcp/environment.hpp>

#include "doctor_report.hpp"

namespace dockline::tool {

// The project and the credentials that these variables, and gcloud's files, name.
void check_google(const gcp::environment& variables, findings& google);

}  // namespace dockline::tool
