#include "doctor_google.hpp"

namespace dockline::tool {

std::vector<findings> google_findings() { return {}; }

}  // namespace dockline::tool
