// For a dockline that was built without Google Cloud.

#include "commands/cloud_image_builder.hpp"

namespace dockline::tool {

boost::asio::awaitable<result<std::shared_ptr<containerize::image_builder>>> make_cloud_image_builder(
    boost::asio::any_io_executor, const global_options&, containerize::containerize_options& options,
    diagnostics& why) {
  why.set_client_message("image_build_bucket \"" + options.docker.image_build_bucket +
                         "\": this dockline was built without Google Cloud (-Dgcp=enabled)");
  co_return errc::invalid_argument;
}

containerize::registry_login make_google_login(boost::asio::any_io_executor, const global_options&) {
  return {};
}

}  // namespace dockline::tool
