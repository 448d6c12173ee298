// What the demo packs into an image: says hello, its arguments, and which files it finds around itself.

#include <cstdio>
#include <exception>
#include <filesystem>

int main(int count, char** arguments) {
  std::puts("Hello from a container that dockline built.");
  for (int i = 1; i < count; ++i) std::printf("  argument %d: %s\n", i, arguments[i]);
  try {
    for (const auto& file : std::filesystem::recursive_directory_iterator("/sample")) {
      std::printf("  in the image: %s\n", file.path().c_str());
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
