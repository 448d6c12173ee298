#pragma once

#include "doctor_report.hpp"

#include <vector>

namespace dockline::tool {

// What `doctor` finds of Google Cloud in the environment; nothing where dockline was built without it. No server is
// asked.
std::vector<findings> google_findings();

}  // namespace dockline::tool
