#include "build_request.hpp"

#include <filesystem>

namespace sample {
namespace {

namespace containerize = dockline::containerize;

// The option that is for Google Cloud Build, of which this service has none; empty when there is none.
std::string_view option_of_the_cloud(const containerize::containerize_options& options) {
  if (!options.docker.image_build_bucket.empty()) return "image_build_bucket";
  if (!options.region.empty()) return "region";
  if (options.from_notebook) return "from_notebook";
  return {};
}

}  // namespace

bool stays_below(const std::string& root, const std::string& path) {
  std::error_code failed;
  const auto whole = std::filesystem::weakly_canonical(std::filesystem::path(root) / path, failed);
  if (failed) return false;
  const auto top = std::filesystem::canonical(root, failed);
  if (failed) return false;
  const auto below = whole.lexically_relative(top);
  return !below.empty() && *below.begin() != "..";
}

dockline::result<containerize::containerize_options> read_build_request(std::string_view body,
                                                                        const std::string& root,
                                                                        dockline::diagnostics& why) {
  containerize::containerize_options options;
  if (auto read = containerize::read_options(body, "request", options, why); !read) return read.error();
  // Before check_options(), which would tell the client to go on with more of them.
  if (const std::string_view name = option_of_the_cloud(options); !name.empty()) {
    why.set_client_message(std::string(name) +
                           ": is for Google Cloud Build; this service has its images built by a daemon");
    return dockline::errc::invalid_argument;
  }
  options.working_directory = root;
  if (auto sound = containerize::check_options(options, why); !sound) return sound.error();
  return options;
}

}  // namespace sample
