// The one source that knows where the tree lies, so that all others compile to the same object in any checkout.

#include "support/test_data.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace dockline {

std::filesystem::path test_data() { return DOCKLINE_TEST_DATA; }

std::vector<std::filesystem::path> recordings(std::string_view folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(test_data() / folder))
    if (entry.path().extension() == ".json") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace dockline
