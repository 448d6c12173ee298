// Whatever a daemon asks of a session about tokens, a registry says of them, or their server answers: it is read or
// passed over, what is asked of the server stays in its place, and a token's times fit the message.

#include "dockline/core/diagnostics.hpp"

#include "buildkit/token_messages.hpp"
#include "engine/registry_challenge.hpp"
#include "engine/registry_token.hpp"

#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace dockline;

void require(bool truth) {
  if (!truth) std::abort();
}

void check_challenge(const engine::registry_challenge& challenge, const std::string& registry) {
  const std::string url = engine::token_url(challenge);
  require(url.starts_with(challenge.realm));
  // Whatever a scope holds, it begins no field of its own.
  const auto fields = static_cast<std::size_t>(std::ranges::count(url.substr(challenge.realm.size()), '='));
  require(fields <= 1 + challenge.scopes.size());
  const std::string form = engine::token_form(challenge, engine::registry_auth("a&b", "c=d"), "client");
  require(form.ends_with("&username=a%26b&password=c%3Dd"));
  require(std::ranges::count(form, '&') <= 5);
  (void)engine::may_have_credentials(challenge.realm, registry);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto asked = buildkit::read_token_request(input)) check_challenge(asked->challenge, asked->host);
  if (const auto told = engine::read_challenge(input)) check_challenge(*told, "registry.example");
  for (const bool with_payload : {false, true}) {
    if (const auto asked = buildkit::read_authority_request(input, with_payload))
      require(asked->host.size() + asked->salt.size() + asked->payload.size() <= size);
  }
  diagnostics why;
  const auto token = engine::read_registry_token(input, why);
  if (!token) {
    require(token.error() == errc::unexpected_answer && !why.client_message().empty());
    return 0;
  }
  require(!token->value.empty() && token->life.count() > 0);
  const std::string message = buildkit::encode_token_response(*token);
  protozero::pbf_reader fields(message);
  require(fields.next() && fields.get_view().size() == token->value.size());
  while (fields.next()) require(fields.get_int64() > 0);
  return 0;
}
