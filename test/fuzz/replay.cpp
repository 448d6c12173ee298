// Gives each file of a folder to a fuzz target, once: its corpus without libFuzzer, for any compiler.
//
//     NAME_fuzz FOLDER

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
  namespace fs = std::filesystem;
  std::error_code missing;
  std::vector<fs::path> files;
  if (count == 2) {
    for (const auto& entry : fs::directory_iterator(arguments[1], missing)) files.push_back(entry.path());
  }
  if (missing || files.empty()) {
    std::fputs("wanted: a folder with inputs\n", stderr);
    return 1;
  }
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", path.c_str());
      return 1;
    }
    // A finding ends the program: the last line says of which input.
    std::printf("%s\n", path.filename().c_str());
    std::fflush(stdout);
    // Memory of just this size, so that a sanitizer sees what is read behind it.
    const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
