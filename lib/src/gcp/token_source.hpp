#pragma once

#include "gcp/client_state.hpp"

#include <memory>
#include <string>

namespace dockline::gcp {

// A new token for the scope, by the way of the credentials' kind.
// Errors: errc::token_refused, errc::bad_configuration, errc::no_credentials; those of the way there.
task<access_token> fetch_token(std::shared_ptr<client_state> state,
                               std::shared_ptr<const credential_source> source, std::string scope,
                               diagnostics& why);

// A request of a token's server, or of one that helps to ask it: tried three times while it fails for the
// moment. Returns the answer whatever its status is.
task<api_answer> ask_server(std::shared_ptr<client_state> state, api_call call, diagnostics& why);

// What the workload's own identity provider says of it, read anew each time.
task<std::string> fetch_subject(std::shared_ptr<client_state> state, const external_account& who,
                                diagnostics& why);

// What the metadata server has at a path; nothing where it has none. Errors: errc::no_credentials when it is
// none of Google's, or not there.
task<std::optional<std::string>> read_metadata(std::shared_ptr<client_state> state, api_call call,
                                               diagnostics& why);

}  // namespace dockline::gcp
