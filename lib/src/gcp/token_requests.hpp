#pragma once

// What is sent for an access token, and what comes back, without I/O.

#include "dockline/gcp/credentials.hpp"

#include "gcp/api.hpp"
#include "gcp/aws_request.hpp"
#include "gcp/credential_source.hpp"
#include "gcp/jwt.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dockline::gcp {

api_call exchange_assertion(const service_account& who, std::string_view assertion);
api_call refresh_user(const authorized_user& who);
api_call exchange_subject(const external_account& who, std::string_view subject, std::string_view scope);
api_call impersonate(const std::string& url, const std::vector<std::string>& delegates,
                     std::string_view scope, std::chrono::seconds lifetime, std::string_view token);
// `path` as "project/project-id". `host` empty: the usual one.
api_call ask_metadata(std::string_view host, std::string_view path);
api_call metadata_token(std::string_view host, std::string_view scope);

// The number of the project that an external account's pool belongs to, "123456789012"; empty for a workforce,
// which belongs to none but the one that it names itself.
std::string project_number(const external_account& who);
// Whether the text is a domain's name, as the metadata server's answer about the universe has to be.
bool is_host_name(std::string_view text);

// The id in what is told of a project; empty where it is not.
std::string read_project_id(std::string_view body);

// The refresh token that an answer of a token's server brings; empty where the old one stays.
std::string read_next_refresh_token(std::string_view body);
// The answer of a token's server. Errors: errc::unexpected_answer.
result<access_token> read_token(std::string_view body, clock_time now, diagnostics& why);
// The answer of an impersonation. Errors: the same.
result<access_token> read_impersonated(std::string_view body, diagnostics& why);

// Whether a refusal may be another answer in a moment: of a status, or as OAuth's servers say it.
bool may_pass(const api_answer& refusal);

// What a refusal means, and what to do. `date` is the answer's: a clock that is wrong is a usual reason.
// Always errc::token_refused.
error_code explain_refusal(const credential_source& who, const api_answer& refusal, clock_time now,
                           diagnostics& why);

// The subject token in a text. Errors: errc::bad_configuration; the words start with `where`.
result<std::string> read_subject(std::string_view text, const token_format& format, std::string_view where,
                                 diagnostics& why);

// The keys that AWS gives a machine's role; empty where they are not told.
aws_keys read_aws_keys(std::string_view body);

// The subject token in what a program printed, and whether it is still good for half a minute. Errors:
// errc::bad_configuration for what breaks the program's protocol, errc::token_refused when it says that it
// failed.
struct program_token {
  program_token() = default;

  std::string token;
  std::optional<clock_time> expires;
};
result<program_token> read_program_answer(std::string_view text, std::string_view subject_type,
                                          diagnostics& why);

// "Wed, 25 Nov 2026 14:19:17 GMT"
std::optional<clock_time> parse_http_date(std::string_view text);

}  // namespace dockline::gcp
