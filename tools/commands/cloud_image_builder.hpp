#pragma once

#include <dockline/containerize/config.hpp>
#include <dockline/containerize/image_builder.hpp>
#include <dockline/containerize/registry_login.hpp>
#include <dockline/core/diagnostics.hpp>

#include "command.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>

namespace dockline::tool {

// Google Cloud Build, with the credentials and the endpoints of the environment, for options with a bucket.
// DOCKLINE_REGISTRY_ENDPOINT is where registries are asked for parent images.
// Fills in their project where they have none. Errors: those of gcp::credentials_from_environment and
// gcp::async_project_id; errc::invalid_argument in a dockline without Google Cloud.
boost::asio::awaitable<result<std::shared_ptr<containerize::image_builder>>> make_cloud_image_builder(
    boost::asio::any_io_executor executor, const global_options& global,
    containerize::containerize_options& options, diagnostics& why);

// Logs in to Google's registries with the credentials of the environment, which are looked for when such a
// registry is what a build needs; without any, anonymously. Empty in a dockline without Google Cloud.
containerize::registry_login make_google_login(boost::asio::any_io_executor executor,
                                               const global_options& global);

}  // namespace dockline::tool
