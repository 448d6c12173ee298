// Rows of the table of operations: contexts, credentials, and programs that become images.

#include "dockline/archive/build_context.hpp"
#include "dockline/archive/content_hash.hpp"
#include "dockline/archive/context_listing.hpp"
#include "dockline/containerize/containerize.hpp"
#include "dockline/containerize/local_builder.hpp"
#include "dockline/engine/credentials.hpp"

#include "exchange/operation_table.hpp"
#include "exchange/success_answers.hpp"

namespace dockline::test {
namespace {

archive::context_options directory(const scene& on) {
  archive::context_options options;
  options.directory = on.on.files.path("app");
  return options;
}

// With a helper program that is not there.
engine::credential_store store() {
  engine::credential_store known;
  known.config.credential_helpers["registry.example"] = "nobody";
  return known;
}

std::shared_ptr<containerize::image_builder> builder(const scene& on) {
  return containerize::make_local_builder(on.daemon);
}

containerize::containerize_options program(const scene& on) {
  containerize::containerize_options options;
  options.working_directory = on.on.files.root();
  options.entry_point = "app/main.py";
  options.docker.image = "registry.example/app:1";
  options.docker.parent_image = "registry.example/base:1";
  return options;
}

const in_table local_rows{{
    row(
        "archive::async_open_context",
        [](scene& on, auto&&... rest) {
          return archive::async_open_context(on.executor, directory(on),
                                             std::forward<decltype(rest)>(rest)...);
        },
        [](const archive::build_context& context) { return context.dockerfile_name() == "Dockerfile"; }),
    row(
        "archive::async_content_hash",
        [](scene& on, auto&&... rest) {
          return archive::async_content_hash(on.executor, on.on.context,
                                             std::forward<decltype(rest)>(rest)...);
        },
        [](const std::string& digits) { return digits.size() == 64; }),
    row(
        "archive::async_list_context",
        [](scene& on, auto&&... rest) {
          return archive::async_list_context(on.executor, on.on.context,
                                             std::forward<decltype(rest)>(rest)...);
        },
        [](const archive::context_listing& listing) { return listing.entries.size() == 2; }),
    row(
        "engine::async_find_credentials",
        [](scene& on, auto&&... rest) {
          const std::vector<std::string> registries{"registry.example"};
          return engine::async_find_credentials(on.executor, store(), registries,
                                                std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::found_credentials& found) { return found.warnings.size() == 1; }),
    row(
        "containerize::async_plan_image",
        [](scene& on, auto&&... rest) {
          return containerize::async_plan_image(builder(on), program(on),
                                                containerize::containerize_environment(), nullptr,
                                                std::forward<decltype(rest)>(rest)...);
        },
        [](const containerize::containerize_plan& plan) { return plan.entry_point == "main.py"; }),
    row(
        "containerize::async_containerize",
        [](scene& on, auto&&... rest) {
          return containerize::async_containerize(builder(on), program(on),
                                                  containerize::containerize_environment(), nullptr,
                                                  std::forward<decltype(rest)>(rest)...);
        },
        [](const containerize::containerized_image& image) {
          return image.builder == "buildkit" && image.digest == told_digest;
        }),
}};

}  // namespace
}  // namespace dockline::test
