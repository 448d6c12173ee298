#include "commands/image_builders.hpp"

#include <dockline/containerize/local_builder.hpp>
#include <dockline/engine/config_file.hpp>

#include "commands/build_arguments.hpp"
#include "commands/cloud_image_builder.hpp"
#include "credentials.hpp"

#include <utility>

namespace dockline::tool {

namespace asio = boost::asio;

asio::awaitable<result<std::shared_ptr<containerize::image_builder>>> make_image_builder(
    asio::any_io_executor executor, const global_options& global, containerize::containerize_options& options,
    diagnostics& why) {
  if (!options.docker.image_build_bucket.empty()) {
    auto builder = co_await make_cloud_image_builder(executor, global, options, why);
    co_return builder;
  }
  const engine::client_options where = client_options_of(global);
  containerize::local_builder_options how;
  auto store = engine::credential_store_from_environment(why);
  if (!store) co_return store.error();
  if (const engine::proxy_settings* proxies = store->config.proxies_for(where.host))
    add_proxies(*proxies, how.build);
  how.credentials = std::move(*store);
  how.registry_tokens = engine::token_fetching_from_environment();
  how.login = make_google_login(executor, global);
  if (settled_compression("auto", where.host) == "gzip") how.compress = archive::compression::gzip;
  co_return containerize::make_local_builder(engine::client(std::move(executor), where), std::move(how));
}

}  // namespace dockline::tool
