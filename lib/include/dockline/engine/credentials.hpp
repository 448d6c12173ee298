#pragma once

// The user's credentials for registries: from config.json, and from the helper programs that it names.

#include "dockline/core/async.hpp"
#include "dockline/core/export.hpp"
#include "dockline/engine/config_file.hpp"
#include "dockline/engine/registry_auth.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::engine {

// Where credentials are looked for.
struct credential_store {
  credential_store() = default;

  // What config.json says.
  config_file config;
  // The directories that hold the helper programs, docker-credential-NAME, separated by ':' as in PATH.
  // Relative ones are passed over.
  std::string search_path;
  // What the helpers see of the environment, "NAME=value" each.
  std::vector<std::string> environment;
  // How long a helper may take; zero is without end.
  std::chrono::milliseconds helper_timeout{30'000};
};

// The store of this user: config_file_from_environment(), PATH and the environment.
// Errors: those of read_config_file.
DOCKLINE_API result<credential_store> credential_store_from_environment(diagnostics& why);

// The path of the program that would be run for the helper `name`, docker-credential-NAME. Empty: there is
// none on the search path, or the name is none that config.json may have. Waits for the disk.
DOCKLINE_API std::string find_credential_helper(const credential_store& store, std::string_view name);

// What was found, and what stood in the way.
struct found_credentials {
  found_credentials() = default;

  // By registry, as it was asked for. A registry without credentials is not here: it is spoken to
  // anonymously.
  std::map<std::string, registry_auth> auths;
  // A helper that is missing or failed, and for which registry. None of them holds a secret.
  std::vector<std::string> warnings;
};

DOCKLINE_API void start_find_credentials(boost::asio::any_io_executor executor, credential_store store,
                                         std::vector<std::string> registries, diagnostics* why,
                                         completion_handler<found_credentials> handler);

// Looks up the credentials of registries ("docker.io", "127.0.0.1:5000"): those of the helper that
// "credHelpers" has for the registry, else of "credsStore", else of "auths". Only these registries are asked
// for. Helpers run as processes of their own, up to eight at a time; nothing waits for them on the event
// loop. A helper that does not know a registry makes it anonymous, as with docker. One that is missing,
// fails, says something else or takes too long is a warning, and what "auths" has is taken instead.
//
// Completion: when every helper has ended.
// Signature: void(error_code, found_credentials), on the token's associated executor, by default `executor`.
// Lifetimes: `why` stays until completion, all else is kept by the operation.
// Cancellation: any type; the helpers are killed, with the processes that they started, and are gone before
// the operation completes.
// Errors: operation_aborted alone; what goes wrong with a helper is a warning.
// Source: docker-credential-helpers' protocol, `docker-credential-NAME get`.
// Example: docs/guide/registries.md.
template <class Token = default_token>
auto async_find_credentials(boost::asio::any_io_executor executor, credential_store store,
                            std::vector<std::string> registries, diagnostics& why, Token&& token = {}) {
  return initiate<found_credentials>(&start_find_credentials, std::forward<Token>(token), &why,
                                     std::move(executor), std::move(store), std::move(registries));
}
template <class Token = default_token>
auto async_find_credentials(boost::asio::any_io_executor executor, credential_store store,
                            std::vector<std::string> registries, Token&& token = {}) {
  return initiate<found_credentials>(&start_find_credentials, std::forward<Token>(token), nullptr,
                                     std::move(executor), std::move(store), std::move(registries));
}

}  // namespace dockline::engine
