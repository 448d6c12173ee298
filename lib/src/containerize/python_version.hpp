#pragma once

// Versions of Python packages, in the order of PEP 440.

#include <compare>
#include <string_view>

namespace dockline::containerize {

// As numbers: 2.9 is before 2.10; 2.15.0.dev1, 2.15.0a1, 2.15.0rc1, 2.15.0, 2.15.0+nv and 2.15.0.post1 are in
// order, and 2.15 is 2.15.0. What is no version is before all that are.
std::weak_ordering compare_python_versions(std::string_view one, std::string_view other);

}  // namespace dockline::containerize
