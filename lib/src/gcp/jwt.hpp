#pragma once

// Signed tokens of a service account's own, RFC 7519, without I/O.

#include "dockline/core/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace dockline::gcp {

struct service_account;

using clock_time = std::chrono::system_clock::time_point;

// Whether a PEM text is an RSA key that can be signed with.
bool is_signing_key(std::string_view pem);

// RSASSA-PKCS1-v1_5 with SHA-256. Errors: errc::bad_configuration for a key that is none.
result<std::string> sign_rs256(std::string_view pem, std::string_view message);

// What is exchanged for an access token at the account's token URL: RFC 7523, for an hour.
result<std::string> make_assertion(const service_account& who, std::string_view scope, clock_time now);

// What is an access token by itself, AIP-4111: no server has to be asked for it. For an hour.
result<std::string> make_own_token(const service_account& who, std::string_view scope, clock_time now);

// How long both are good for.
inline constexpr std::chrono::seconds jwt_lifetime{3600};

}  // namespace dockline::gcp
