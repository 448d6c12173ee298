#include "buildkit/token_authority.hpp"

#include "core/random.hpp"
#include "core/sha256.hpp"
#include "core/wipe.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstddef>

namespace dockline::buildkit {
namespace {

constexpr std::size_t seed_size = 32;

// What no daemon knows, so that it learns nothing of the credentials by trying some.
const std::string& process_secret() {
  static const std::string secret = random_bytes(seed_size);
  return secret;
}

// Each part with its length, so that no two credentials are the same text.
void append_part(std::string& text, std::string_view part) {
  text.append(std::to_string(part.size())).append(":").append(part);
}

std::string text_of(std::string_view host, const engine::registry_auth& auth) {
  std::string text;
  append_part(text, host);
  append_part(text, auth.username);
  append_part(text, auth.password);
  append_part(text, auth.identity_token);
  append_part(text, auth.registry_token);
  return text;
}

}  // namespace

result<token_authority> token_authority::make(std::string_view host, const engine::registry_auth& auth,
                                              std::string_view salt) {
  std::string who = text_of(host, auth);
  std::string own = hmac_sha256(process_secret(), who);
  std::string seed = hmac_sha256(salt, own);
  token_authority authority;
  authority.key_.reset(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed.data()), seed.size()));
  for (std::string* secret : {&who, &own, &seed}) wipe(*secret);
  if (authority.key_) return authority;
  ERR_clear_error();
  return make_error_code(boost::system::errc::not_enough_memory);
}

std::string token_authority::public_key() const {
  std::string key(seed_size, '\0');
  std::size_t size = key.size();
  const bool told =
      EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(key.data()), &size) == 1;
  key.resize(told ? size : 0);
  return key;
}

std::string token_authority::sign(std::string_view text) const {
  auto signature = sign_with(key_, nullptr, text);
  return signature ? signature->append(text) : std::string();
}

}  // namespace dockline::buildkit
