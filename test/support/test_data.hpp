#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dockline {

// test/data in the source tree.
std::filesystem::path test_data();

// What engines said, recorded in one of its folders.
std::vector<std::filesystem::path> recordings(std::string_view folder);

// All bytes of a file.
std::string read_file(const std::filesystem::path& path);

}  // namespace dockline
