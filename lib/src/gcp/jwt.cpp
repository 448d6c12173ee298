#include "gcp/jwt.hpp"

#include "core/encoding.hpp"
#include "core/evp_key.hpp"
#include "core/json.hpp"
#include "gcp/credential_source.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace dockline::gcp {
namespace {

struct release {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

// A key with a passphrase would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

evp_key read_key(std::string_view pem) {
  const std::unique_ptr<BIO, release> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!text) return nullptr;
  evp_key key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (key && EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) key.reset();
  return key;
}

std::int64_t seconds_of(clock_time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

result<std::string> make_jwt(const service_account& who, std::string_view claims) {
  json::writer header;
  header.begin_object().key("alg").string("RS256").key("typ").string("JWT");
  if (!who.key_id.empty()) header.key("kid").string(who.key_id);
  header.end_object();
  std::string text = encode_base64url(header.text(), base64_padding::absent) + '.' +
                     encode_base64url(claims, base64_padding::absent);
  const auto signature = sign_rs256(who.private_key, text);
  if (!signature) return signature.error();
  return text + '.' + encode_base64url(*signature, base64_padding::absent);
}

}  // namespace

bool is_signing_key(std::string_view pem) { return read_key(pem) != nullptr; }

result<std::string> sign_rs256(std::string_view pem, std::string_view message) {
  const auto key = read_key(pem);
  if (!key) return errc::bad_configuration;
  return sign_with(key, EVP_sha256(), message);
}

result<std::string> make_assertion(const service_account& who, std::string_view scope, clock_time now) {
  json::writer claims;
  claims.begin_object().key("iss").string(who.email).key("aud").string(who.token_url);
  claims.key("scope").string(scope).key("iat").integer(seconds_of(now));
  claims.key("exp").integer(seconds_of(now + jwt_lifetime)).end_object();
  return make_jwt(who, claims.text());
}

result<std::string> make_own_token(const service_account& who, std::string_view scope, clock_time now) {
  json::writer claims;
  claims.begin_object().key("iss").string(who.email).key("sub").string(who.email);
  claims.key("scope").string(scope).key("iat").integer(seconds_of(now));
  claims.key("exp").integer(seconds_of(now + jwt_lifetime)).end_object();
  return make_jwt(who, claims.text());
}

}  // namespace dockline::gcp
