#include "google_client.hpp"

#include <dockline/gcp/credentials.hpp>

#include <algorithm>
#include <utility>

namespace dockline::tool {

result<gcp::client> google_client(const boost::asio::any_io_executor& executor, const global_options& global,
                                  const std::string& project, diagnostics& why) {
  auto who = gcp::credentials_from_environment(why);
  if (!who) return who.error();
  gcp::client_options options = gcp::client_options_from(gcp::environment_of_process());
  if (!project.empty()) options.project = project;
  options.on_exchange = debug_observer(global);
  if (const auto limit = deadline_of(global)) {
    options.connect_timeout = *limit;
    options.idle_timeout = *limit;
    // What never answers is not asked for ten minutes when somebody says how long they wait.
    options.retries.budget = std::min(options.retries.budget, *limit);
  }
  return gcp::client(executor, std::move(*who), std::move(options));
}

}  // namespace dockline::tool
