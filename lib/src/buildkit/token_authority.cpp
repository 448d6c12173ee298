#include "buildkit/token_authority.hpp"

#include "core/random.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstddef>

namespace dockline::buildkit {
namespace {

constexpr std::size_t seed_size = 32;
constexpr std::size_t signature_size = 64;
using seed = std::array<unsigned char, seed_size>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool hmac(std::string_view key, std::string_view text, seed& digest) {
  unsigned int size = 0;
  return HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
              digest.data(), &size) != nullptr;
}

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

void token_authority::deleter::operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }

result<token_authority> token_authority::make(std::string_view host, const engine::registry_auth& auth,
                                              std::string_view salt) {
  std::string who = text_of(host, auth);
  seed own{};
  seed salted{};
  const bool made =
      hmac(process_secret(), who, own) &&
      hmac(salt, std::string_view(reinterpret_cast<const char*>(own.data()), own.size()), salted);
  token_authority authority;
  if (made)
    authority.key_.reset(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, salted.data(), salted.size()));
  OPENSSL_cleanse(who.data(), who.size());
  OPENSSL_cleanse(own.data(), own.size());
  OPENSSL_cleanse(salted.data(), salted.size());
  if (!authority.key_) return make_error_code(boost::system::errc::not_enough_memory);
  return authority;
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
  struct freer {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, freer> context(EVP_MD_CTX_new());
  std::string message(signature_size, '\0');
  std::size_t size = message.size();
  const bool signed_ = context &&
                       EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                       EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(message.data()), &size,
                                      bytes_of(text), text.size()) == 1 &&
                       size == signature_size;
  if (!signed_) return {};
  return message.append(text);
}

}  // namespace dockline::buildkit
