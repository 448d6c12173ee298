#pragma once

#include <dockline/gcp/client.hpp>

#include "command.hpp"

#include <string>

namespace dockline::tool {

// The client of Google Cloud that the environment and the global options describe, working in the project if
// one is named.
result<gcp::client> google_client(const boost::asio::any_io_executor& executor, const global_options& global,
                                  const std::string& project, diagnostics& why);

}  // namespace dockline::tool
