#include "commands/containerize_arguments.hpp"

#include <dockline/core/diagnostics.hpp>

#include "option_forms.hpp"
#include "progress_display.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>

namespace dockline::tool {
namespace {

bool read_config(const std::string& path, containerize::containerize_options& options, console& terminal) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> block{};
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad()) {
    terminal.error("--config \"" + path + "\": " + (errno != 0 ? std::strerror(errno) : "cannot be read"));
    return false;
  }
  diagnostics why;
  if (containerize::read_options(text, path, options, why)) return true;
  terminal.error("--config: " + why.client_message());
  return false;
}

// A flag that is neither yes nor no where it was not given: CLI11 sets an optional to false then.
void add_choice(CLI::App& command, const std::string& name, std::optional<bool>& choice,
                const std::string& help) {
  command.add_flag_function(
      name, [&choice](std::int64_t count) { choice = count > 0; }, help);
}

void take(const std::optional<std::string>& given, std::string& place) {
  if (given) place = *given;
}

}  // namespace

void declare(CLI::App& command, containerize_arguments& arguments) {
  add_one(command, "--entry-point", arguments.entry_point, "FILE",
          "The program, .py or .ipynb; its directory is what is copied");
  add_one(command, "--requirements", arguments.requirements, "FILE",
          "What pip installs before the code is copied");
  add_one(command, "--destination-dir", arguments.destination_dir, "DIR", "Where the code goes (/app/)");
  add_one(command, "--image", arguments.image, "NAME", "The image's name (REGISTRY/tf_cloud_train:UUID)");
  add_one(command, "--parent-image", arguments.parent_image, "NAME",
          "What it is built from (that of the local TensorFlow's version)");
  add_one(command, "--cache-from", arguments.cache_from, "NAME", "Whose layers serve as cache (--image)");
  add_one(command, "--image-build-bucket", arguments.image_build_bucket, "BUCKET",
          "Build with Google Cloud Build, by this bucket");
  add_one(command, "--project", arguments.project, "ID", "The Google Cloud project");
  add_one(command, "--region", arguments.region, "REGION", "Where Cloud Build runs (global)");
  add_one(command, "--registry", arguments.registry, "PREFIX",
          "Where an image without --image goes (gcr.io/PROJECT)");
  add_one(command, "--accelerator", arguments.accelerator, "none|gpu", "Which TensorFlow image (none)")
      ->transform(CLI::IsMember({"none", "gpu"}).description(""));
  add_choice(command, "--tpu", arguments.tpu, "Install the client of Cloud TPUs");
  add_choice(command, "--from-notebook", arguments.from_notebook,
             "The caller is a notebook, which has no daemon");
  add_choice(command, "--no-push", arguments.no_push, "Leave the image with the daemon");
  add_one(command, "--config", arguments.config, "FILE",
          "A JSON file of these options; the line counts more");
  command.add_flag("--dry-run", arguments.dry_run, "Print the Dockerfile and the files, and build nothing");
  command.add_flag("-q,--quiet", arguments.quiet, "Print nothing but the image's name");
  add_progress(command, arguments.progress);
}

std::optional<containerize::containerize_options> containerize_options_of(
    const containerize_arguments& arguments, console& terminal) {
  containerize::containerize_options options;
  if (!arguments.config.empty() && !read_config(arguments.config, options, terminal)) return std::nullopt;
  take(arguments.entry_point, options.entry_point);
  take(arguments.requirements, options.requirements);
  take(arguments.destination_dir, options.destination_dir);
  take(arguments.image, options.docker.image);
  take(arguments.parent_image, options.docker.parent_image);
  take(arguments.cache_from, options.docker.cache_from);
  take(arguments.image_build_bucket, options.docker.image_build_bucket);
  take(arguments.project, options.project);
  take(arguments.region, options.region);
  take(arguments.registry, options.registry);
  if (arguments.accelerator) {
    options.accelerator =
        *arguments.accelerator == "gpu" ? containerize::accelerator::gpu : containerize::accelerator::none;
  }
  if (arguments.tpu) options.tpu = *arguments.tpu;
  if (arguments.from_notebook) options.from_notebook = *arguments.from_notebook;
  if (arguments.no_push) options.push = !*arguments.no_push;
  return options;
}

}  // namespace dockline::tool
