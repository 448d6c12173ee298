#include "commands/cloud_image_builder.hpp"

#include <dockline/containerize/cloud_builder.hpp>
#include <dockline/gcp/credentials.hpp>

#include "commands/context_arguments.hpp"

#include <utility>

namespace dockline::tool {

namespace asio = boost::asio;

asio::awaitable<result<std::shared_ptr<containerize::image_builder>>> make_cloud_image_builder(
    asio::any_io_executor executor, containerize::containerize_options& options, diagnostics& why) {
  auto who = gcp::credentials_from_environment(why);
  if (!who) co_return who.error();
  gcp::client_options where = gcp::client_options_from(gcp::environment_of_process());
  if (!options.project.empty()) where.project = options.project;
  gcp::client google(executor, std::move(*who), std::move(where));
  auto [unknown, project] = co_await gcp::async_project_id(google, why, no_throw);
  if (unknown) co_return unknown;
  options.project = project;

  containerize::cloud_builder_options how;
  how.build.bucket = options.docker.image_build_bucket;
  how.build.where.project = std::move(project);
  if (!options.region.empty()) how.build.where.region = options.region;
  co_return containerize::make_cloud_builder(std::move(google), std::move(how));
}

}  // namespace dockline::tool
