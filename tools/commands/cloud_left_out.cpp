// For a dockline that was built without Google Cloud.

#include "commands/cloud_build.hpp"

namespace dockline::tool {

boost::asio::awaitable<int> build_in_cloud(boost::asio::any_io_executor, global_options, build_arguments) {
  console terminal;
  terminal.error("--image-build-bucket: this dockline was built without Google Cloud (-Dgcp=enabled)");
  co_return static_cast<int>(exit_status::usage);
}

}  // namespace dockline::tool
