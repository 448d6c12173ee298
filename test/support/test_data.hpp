#pragma once

#include <filesystem>

namespace dockline {

// test/data in the source tree.
std::filesystem::path test_data();

}  // namespace dockline
