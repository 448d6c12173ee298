#pragma once

#include <string>
#include <string_view>

namespace dockline::tool {

// "127.0.0.1:5000/app@sha256:…" of a name with or without a tag: what a registry will always answer with the
// same image.
std::string pinned_name(std::string_view name, std::string_view digest);

}  // namespace dockline::tool
