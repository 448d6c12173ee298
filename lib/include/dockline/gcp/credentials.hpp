#pragma once

// Who asks: Google's application default credentials, and the access tokens that they give.

#include "dockline/core/async.hpp"
#include "dockline/core/export.hpp"
#include "dockline/gcp/client.hpp"
#include "dockline/gcp/environment.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::gcp {

// Reads the text of a credentials file: a service account's key, what `gcloud auth application-default login`
// leaves, a workload identity configuration (external_account), an impersonation of any of these. `path` is
// for the messages, which never show a secret. Programs that an external account names are run only where
// `variables` has GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1.
// Errors: errc::bad_configuration for a text that is none, or of a type that is not known.
DOCKLINE_API result<credentials> parse_credentials(std::string_view text, std::string_view path,
                                                   const environment& variables, diagnostics& why);

// The credentials that Google's own programs would take, in their order: the file that
// GOOGLE_APPLICATION_CREDENTIALS names; application_default_credentials.json in $CLOUDSDK_CONFIG, else in
// ~/.config/gcloud; the metadata server of a machine at Google. Where there is nothing of these and
// STORAGE_EMULATOR_HOST is set, no_credentials(): an emulator is asked without a token. A file that is there
// and cannot be used is an error, and nothing is fallen back to. Waits for the disk; asks nothing over the
// network: whether this is a machine at Google is read from what the kernel and the variables say of it.
// Errors: errc::no_credentials, and what to run then; errc::bad_configuration.
DOCKLINE_API result<credentials> find_credentials(const environment& variables, diagnostics& why);
// The same with the environment of this process.
DOCKLINE_API result<credentials> credentials_from_environment(diagnostics& why);

// Those of the machine that this runs on, from its metadata server, without looking whether it has one.
DOCKLINE_API credentials metadata_credentials();
// None: requests carry no token. For an emulator.
DOCKLINE_API credentials no_credentials();

// What stands in for a password at Google's APIs; for a registry of Google's it is the password of the user
// "oauth2accesstoken".
struct access_token {
  access_token() = default;

  std::string value;                              // a secret; empty with no_credentials()
  std::chrono::system_clock::time_point expires;  // when it is of no use any more
};

// The scope that covers all that this library does.
inline constexpr std::string_view cloud_platform_scope = "https://www.googleapis.com/auth/cloud-platform";

DOCKLINE_API void start_access_token(client google, std::string scope, diagnostics* why,
                                     completion_handler<access_token> handler);
DOCKLINE_API void start_project_id(client google, diagnostics* why, completion_handler<std::string> handler);

// Gets a token for `scope` (several are separated by a space): a kept one, or a new one. However many operations
// want one at once, it is asked for once; one that is about to expire is renewed while it is still given out.
// A user's credentials give the scopes that the user logged in with, whatever `scope` says. With
// no_credentials() the value is empty, which is no error.
//
// Completion: when there is one.
// Signature: void(error_code, access_token).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type; a request that others wait for goes on.
// Errors: errc::token_refused, and what to run then; errc::no_credentials where no metadata server of Google's
// answers; errc::bad_configuration for a key, a file or a program that cannot be used; errc::cannot_connect,
// errc::tls_failed, errc::timed_out and errc::connection_lost on the way to the token's server;
// errc::unexpected_answer for an answer without a token.
// Source: RFC 6749, 7523 and 8693; AIP-4111, 4112, 4115, 4116, 4117.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_access_token(const client& google, std::string scope, diagnostics& why, Token&& token = {}) {
  return initiate<access_token>(&start_access_token, std::forward<Token>(token), &why, google,
                                std::move(scope));
}
template <class Token = default_token>
auto async_access_token(const client& google, std::string scope, Token&& token = {}) {
  return initiate<access_token>(&start_access_token, std::forward<Token>(token), nullptr, google,
                                std::move(scope));
}

// Finds the project that is worked in, where an operation names none: client_options::project, that of the
// credentials, client_options::fallback_project, that of the machine at Google, or of an external account's pool.
//
// Completion: when it is known.
// Signature: void(error_code, std::string).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type; a request that others wait for goes on.
// Errors: errc::invalid_argument where nothing tells it, with what to do; errc::no_credentials where no metadata
// server of Google's answers; errc::denied, with the permission that Resource Manager wants; those of the
// service's status and of the way there.
// Source: google.auth.default; the metadata server's project/project-id; Resource Manager API v1, projects.get.
// Example: tools/doctor_google.cpp.
template <class Token = default_token>
auto async_project_id(const client& google, diagnostics& why, Token&& token = {}) {
  return initiate<std::string>(&start_project_id, std::forward<Token>(token), &why, google);
}
template <class Token = default_token>
auto async_project_id(const client& google, Token&& token = {}) {
  return initiate<std::string>(&start_project_id, std::forward<Token>(token), nullptr, google);
}

}  // namespace dockline::gcp
