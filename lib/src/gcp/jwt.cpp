#include "gcp/jwt.hpp"

#include "core/encoding.hpp"
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
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

// A key with a passphrase would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::unique_ptr<EVP_PKEY, release> read_key(std::string_view pem) {
  const std::unique_ptr<BIO, release> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!text) return nullptr;
  std::unique_ptr<EVP_PKEY, release> key(
      PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr));
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
  const std::unique_ptr<EVP_MD_CTX, release> context(EVP_MD_CTX_new());
  if (!context) return make_error_code(boost::system::errc::not_enough_memory);
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) != 1) {
    ERR_clear_error();
    return errc::bad_configuration;
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                     message.size()) != 1) {
    ERR_clear_error();
    return errc::bad_configuration;
  }
  signature.resize(size);
  return signature;
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
