#include "gcp/random_name.hpp"

#include "core/random.hpp"

namespace dockline::gcp {

std::string random_name(std::string_view prefix) { return std::string(prefix) + random_id(); }

}  // namespace dockline::gcp
