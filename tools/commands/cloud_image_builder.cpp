#include "commands/cloud_image_builder.hpp"

#include <dockline/containerize/cloud_builder.hpp>
#include <dockline/containerize/google_login.hpp>
#include <dockline/gcp/credentials.hpp>

#include "commands/context_arguments.hpp"
#include "google_client.hpp"

#include <boost/asio/post.hpp>

#include <cstdlib>
#include <optional>
#include <utility>

namespace dockline::tool {

namespace asio = boost::asio;

namespace {

void complete(const asio::any_io_executor& executor, completion_handler<engine::registry_auth> handler,
              error_code code) {
  asio::post(executor, [handler = std::move(handler), code]() mutable {
    std::move(handler)(code, engine::registry_auth());
  });
}

}  // namespace

asio::awaitable<result<std::shared_ptr<containerize::image_builder>>> make_cloud_image_builder(
    asio::any_io_executor executor, const global_options& global, containerize::containerize_options& options,
    diagnostics& why) {
  auto google = google_client(executor, global, options.project, why);
  if (!google) co_return google.error();
  auto [unknown, project] = co_await gcp::async_project_id(*google, why, no_throw);
  if (unknown) co_return unknown;
  options.project = project;

  containerize::cloud_builder_options how;
  how.build.bucket = options.docker.image_build_bucket;
  how.build.where.project = std::move(project);
  how.build.where.region = options.region;
  if (const char* endpoint = std::getenv("DOCKLINE_REGISTRY_ENDPOINT")) how.registry_endpoint = endpoint;
  co_return containerize::make_cloud_builder(std::move(*google), std::move(how));
}

containerize::registry_login make_google_login(asio::any_io_executor executor, const global_options& global) {
  // Made once, so that the registries of a build share a token.
  auto login = std::make_shared<containerize::registry_login>();
  return [executor, global, login](std::string registry, diagnostics* why,
                                   completion_handler<engine::registry_auth> handler) {
    if (!containerize::is_google_registry(registry)) return complete(executor, std::move(handler), {});
    if (!*login) {
      auto google = google_client(executor, global, {}, *why);
      if (!google) {
        const bool none = google.error() == errc::no_credentials;
        return complete(executor, std::move(handler), none ? error_code() : google.error());
      }
      *login = containerize::google_registry_login(std::move(*google));
    }
    (*login)(std::move(registry), why, std::move(handler));
  };
}

}  // namespace dockline::tool
