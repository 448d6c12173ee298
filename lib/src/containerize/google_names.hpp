#pragma once

// The rules that Google has for names, so that a bad one is refused before anything is sent.

#include <string_view>

namespace dockline::containerize {

// The rule that a name breaks; empty when it breaks none.
std::string_view bucket_name_fault(std::string_view name);
// Also "example.com:project", a project of a domain.
std::string_view project_id_fault(std::string_view id);
std::string_view region_fault(std::string_view region);

}  // namespace dockline::containerize
