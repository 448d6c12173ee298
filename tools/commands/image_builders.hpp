#pragma once

#include <dockline/containerize/config.hpp>
#include <dockline/containerize/image_builder.hpp>

#include "command.hpp"
#include "commands/context_arguments.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace dockline::tool {

// Who builds what these options describe: Google Cloud Build where there is a bucket, else the daemon that
// the global options name, with the user's credentials and proxies. Errors: those of the user's settings.
// Throws, as client_options_of() does, when no daemon can be chosen.
boost::asio::awaitable<result<std::shared_ptr<containerize::image_builder>>> make_image_builder(
    boost::asio::any_io_executor executor, const global_options& global,
    containerize::containerize_options& options, diagnostics& why);

}  // namespace dockline::tool
