#pragma once

// What the user's docker configuration adds to a command.

#include <dockline/core/diagnostics.hpp>
#include <dockline/engine/build.hpp>
#include <dockline/engine/credentials.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace dockline::tool {

// The user's credentials for these registries, with warnings to be shown. Nothing is read for none.
boost::asio::awaitable<result<engine::found_credentials>> find_credentials(
    boost::asio::any_io_executor executor, std::vector<std::string> registries, diagnostics& why);

class progress_display;

// The user's credentials for the registry of one image, to push or pull it; warnings go to `display`.
boost::asio::awaitable<result<engine::registry_auth>> find_registry_auth(
    boost::asio::any_io_executor executor, std::string image, progress_display& display, diagnostics& why);

// Gives a build the credentials for the registries that its Dockerfile reads from, and the proxies for the
// containers of the daemon at `host`. Returns warnings.
boost::asio::awaitable<result<std::vector<std::string>>> add_user_settings(
    boost::asio::any_io_executor executor, std::string host, std::string dockerfile,
    engine::build_options& options, diagnostics& why);

// The proxies as arguments of a build, in capitals and small letters as programs want the one or the other;
// what was given on the command line stays.
void add_proxies(const engine::proxy_settings& proxies, engine::build_options& options);

// The same for the environment of a container, "NAME=value" each. `given` is what was asked for: "NAME" alone
// is a variable as well that the container is not to have otherwise.
void add_proxies(const engine::proxy_settings& proxies, const std::vector<std::string>& given,
                 std::vector<std::string>& env);

}  // namespace dockline::tool
