#include "buildkit/token_messages.hpp"

#include "buildkit/text_fields.hpp"

#include <protozero/pbf_writer.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace dockline::buildkit {
namespace {

using protozero::pbf_tag_type;

// FetchTokenRequest.
constexpr pbf_tag_type client_field = 1;
constexpr pbf_tag_type host_field = 2;
constexpr pbf_tag_type realm_field = 3;
constexpr pbf_tag_type service_field = 4;
constexpr pbf_tag_type scope_field = 5;
// FetchTokenResponse.
constexpr pbf_tag_type token_field = 1;
constexpr pbf_tag_type expires_field = 2;
constexpr pbf_tag_type issued_field = 3;

// One for each repository of a build that are mounted from one another.
constexpr std::size_t most_scopes = 1000;

}  // namespace

std::optional<token_request> read_token_request(std::string_view message) {
  token_request read;
  const bool whole = read_text_fields(message, [&](pbf_tag_type field, std::string text) {
    switch (field) {
      case client_field: read.client_id = std::move(text); break;
      case host_field: read.host = std::move(text); break;
      case realm_field: read.challenge.realm = std::move(text); break;
      case service_field: read.challenge.service = std::move(text); break;
      case scope_field:
        if (read.challenge.scopes.size() <= most_scopes) read.challenge.scopes.push_back(std::move(text));
        break;
      default: break;
    }
  });
  if (!whole || read.challenge.scopes.size() > most_scopes) return std::nullopt;
  return read;
}

std::string encode_token_response(const engine::registry_token& token) {
  std::string message;
  message.reserve(token.value.size() + 32);
  protozero::pbf_writer writer(message);
  writer.add_string(token_field, token.value);
  writer.add_int64(expires_field, token.life.count());
  if (token.issued.time_since_epoch().count() > 0)
    writer.add_int64(issued_field, token.issued.time_since_epoch().count());
  return message;
}

std::optional<authority_request> read_authority_request(std::string_view message, bool with_payload) {
  authority_request read;
  const std::array<std::string*, 4> places = {nullptr, &read.host, with_payload ? &read.payload : &read.salt,
                                              with_payload ? &read.salt : nullptr};
  const bool whole = read_text_fields(message, [&](pbf_tag_type field, std::string bytes) {
    if (field < places.size() && places[field] != nullptr) *places[field] = std::move(bytes);
  });
  if (!whole) return std::nullopt;
  return read;
}

std::string encode_authority_response(std::string_view bytes) {
  std::string message;
  protozero::pbf_writer(message).add_bytes(1, bytes.data(), bytes.size());
  return message;
}

}  // namespace dockline::buildkit
