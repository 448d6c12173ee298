// Whatever a credentials file holds, it is read or refused, and the refusal has words, the file's name first.

#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/credentials.hpp"

#include "core/encoding.hpp"
#include "gcp/credential_source.hpp"
#include "gcp/google_error.hpp"
#include "gcp/token_requests.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const gcp::environment variables{{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"}};
  diagnostics why;
  const auto read = gcp::parse_credentials(text, "key.json", variables, why);
  if (read.has_value() != why.empty()) std::abort();
  if (!read && !why.client_message().starts_with("key.json")) std::abort();
  if (read && read->description().empty()) std::abort();
  // The same bytes as what a token's server, a program and a service answer.
  why.clear();
  const auto token = gcp::read_token(text, {}, why);
  if (token && token->value.empty()) std::abort();
  (void)gcp::read_impersonated(text, why);
  const auto program = gcp::read_program_answer(text, "urn:ietf:params:oauth:token-type:id_token", why);
  if (program && program->token.empty()) std::abort();
  const gcp::google_error told = gcp::read_google_error(text);
  for (const char c : told.message + told.reason) {
    if (static_cast<unsigned char>(c) < ' ') std::abort();
  }
  (void)gcp::split_command(text);
  (void)parse_rfc3339(text);
  (void)gcp::parse_http_date(text);
  return 0;
}
