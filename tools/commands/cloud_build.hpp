#pragma once

#include "command.hpp"
#include "commands/build_arguments.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace dockline::tool {

// `build` with a bucket: the context goes there, Cloud Build makes the image and pushes it. Prints the digest
// that the registry knows the image by. Returns the status of the process.
boost::asio::awaitable<int> build_in_cloud(boost::asio::any_io_executor executor, global_options global,
                                           build_arguments arguments);

}  // namespace dockline::tool
