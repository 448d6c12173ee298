#pragma once

// Which images a build needs, and so to which registries the daemon has to log in for it.

#include "dockline/core/export.hpp"
#include "dockline/engine/build.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {

// The images that a Dockerfile names, in order and each once: of FROM, COPY --from and RUN --mount=from, up
// to the stage `options.target`. Variables of FROM are replaced by `options.build_args` and the defaults of
// ARG; names and numbers of stages, and scratch, are no images. What is no Dockerfile gives what can be
// found; the daemon says what is wrong with it.
DOCKLINE_API std::vector<std::string> images_of_dockerfile(std::string_view text,
                                                           const build_options& options = {});

// The registries that a build with this Dockerfile reads from, "docker.io" for Docker Hub, sorted: those of
// its images and of `options.cache_from`. Those of the tags are not: a build pushes nothing. For
// async_find_credentials().
DOCKLINE_API std::vector<std::string> registries_of_build(std::string_view dockerfile,
                                                          const build_options& options = {});

}  // namespace dockline::engine
