#include "credentials.hpp"

#include <dockline/engine/dockerfile_images.hpp>
#include <dockline/engine/image_ref.hpp>

#include "progress_display.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace dockline::tool {

namespace asio = boost::asio;

namespace {

// Their names in capitals and in small letters, as far as they are set.
std::vector<std::pair<std::string, std::string>> variables_of(const engine::proxy_settings& proxies) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto add = [&](const char* capitals, const char* small, const std::string& value) {
    if (value.empty()) return;
    all.emplace_back(capitals, value);
    all.emplace_back(small, value);
  };
  add("HTTP_PROXY", "http_proxy", proxies.http);
  add("HTTPS_PROXY", "https_proxy", proxies.https);
  add("FTP_PROXY", "ftp_proxy", proxies.ftp);
  add("ALL_PROXY", "all_proxy", proxies.all);
  add("NO_PROXY", "no_proxy", proxies.no);
  return all;
}

}  // namespace

asio::awaitable<result<engine::found_credentials>> find_credentials(asio::any_io_executor executor,
                                                                    std::vector<std::string> registries,
                                                                    diagnostics& why) {
  engine::found_credentials none;
  if (registries.empty()) co_return none;
  auto store = engine::credential_store_from_environment(why);
  if (!store) co_return store.error();
  auto [code, found] = co_await engine::async_find_credentials(
      executor, std::move(*store), std::move(registries), why, asio::as_tuple(asio::use_awaitable));
  if (code) co_return code;
  co_return std::move(found);
}

asio::awaitable<result<engine::registry_auth>> find_registry_auth(asio::any_io_executor executor,
                                                                  std::string image,
                                                                  progress_display& display,
                                                                  diagnostics& why) {
  const auto reference = engine::parse_image_ref(image, why);
  if (!reference) co_return reference.error();
  std::vector<std::string> registries(1, reference->domain);
  auto found = co_await find_credentials(executor, std::move(registries), why);
  if (!found) co_return found.error();
  for (const auto& text : found->warnings) display.warn(text);
  const auto auth = found->auths.find(reference->domain);
  if (auth == found->auths.end()) co_return engine::registry_auth();
  co_return auth->second;
}

asio::awaitable<result<std::vector<std::string>>> add_user_settings(asio::any_io_executor executor,
                                                                    std::string host, std::string dockerfile,
                                                                    engine::build_options& options,
                                                                    diagnostics& why) {
  const auto config = engine::config_file_from_environment(why);
  if (!config) co_return config.error();
  if (const engine::proxy_settings* proxies = config->proxies_for(host)) add_proxies(*proxies, options);
  auto registries = engine::registries_of_build(dockerfile, options);
  auto found = co_await find_credentials(executor, std::move(registries), why);
  if (!found) co_return found.error();
  options.registry_auths = std::move(found->auths);
  co_return std::move(found->warnings);
}

void add_proxies(const engine::proxy_settings& proxies, engine::build_options& options) {
  for (const auto& [name, value] : variables_of(proxies)) options.build_args.emplace(name, value);
}

void add_proxies(const engine::proxy_settings& proxies, const std::vector<std::string>& given,
                 std::vector<std::string>& env) {
  for (const auto& [name, value] : variables_of(proxies)) {
    const auto names_it = [&name = name](std::string_view one) {
      return one.substr(0, one.find('=')) == name;
    };
    if (std::ranges::none_of(given, names_it)) env.push_back(name + "=" + value);
  }
}

}  // namespace dockline::tool
