#pragma once

#include <string>
#include <string_view>

namespace dockline::gcp {

// `prefix` and 32 hexadecimal digits by chance: no two are the same.
std::string random_name(std::string_view prefix);

}  // namespace dockline::gcp
