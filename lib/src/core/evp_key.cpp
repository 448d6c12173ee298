#include "core/evp_key.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstddef>

namespace dockline {
namespace {

struct context_release {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

void evp_key_release::operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }

result<std::string> sign_with(const evp_key& key, const EVP_MD* digest, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, context_release> context(EVP_MD_CTX_new());
  if (!context) return make_error_code(boost::system::errc::not_enough_memory);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    ERR_clear_error();
    return errc::bad_configuration;
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                     text.size()) != 1) {
    ERR_clear_error();
    return errc::bad_configuration;
  }
  signature.resize(size);
  return signature;
}

}  // namespace dockline
