#include "google_client.hpp"

#include <dockline/gcp/credentials.hpp>

#include <utility>

namespace dockline::tool {

result<gcp::client> google_client(const boost::asio::any_io_executor& executor, const global_options& global,
                                  const std::string& project, diagnostics& why) {
  auto who = gcp::credentials_from_environment(why);
  if (!who) return who.error();
  gcp::client_options options = gcp::client_options_from(gcp::environment_of_process());
  if (!project.empty()) options.project = project;
  options.on_exchange = debug_observer(global);
  return gcp::client(executor, std::move(*who), std::move(options));
}

}  // namespace dockline::tool
