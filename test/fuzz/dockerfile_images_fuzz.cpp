// Whatever a Dockerfile holds, the images found in it are not empty, none is there twice, and naming each of
// them in a Dockerfile of its own finds it again.

#include "dockline/engine/dockerfile_images.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  engine::build_options options;
  options.build_args["A"] = "r:1/a";
  options.target = "t";
  const auto images = engine::images_of_dockerfile(text, options);
  std::set<std::string> seen;
  for (const auto& image : images) {
    if (image.empty() || !seen.insert(image).second) std::abort();
    if (image.find_first_of(" \t\v\f\r\n\\'\"$`") != image.npos || image.starts_with("--")) continue;
    if (engine::images_of_dockerfile("FROM " + image) != std::vector<std::string>{image}) std::abort();
  }
  for (const auto& registry : engine::registries_of_build(text, options)) {
    if (registry.empty()) std::abort();
  }
  return 0;
}
