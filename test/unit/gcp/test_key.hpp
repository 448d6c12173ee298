#pragma once

// A key of a service account for tests, made when it is first asked for.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <string_view>

namespace dockline::gcp {

struct test_key {
  test_key() : key(EVP_RSA_gen(2048), &EVP_PKEY_free) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    pem.assign(text, static_cast<std::size_t>(size));
  }

  bool signed_this(std::string_view message, std::string_view signature) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
                            message.size()) == 1;
  }

  // Its file, with `more` behind the members that it has to have.
  std::string file(std::string_view more = {}) const {
    std::string escaped;
    for (const char c : pem) escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
    return R"({"type":"service_account","project_id":"p1","private_key_id":"kid1","private_key":")" +
           escaped + R"(","client_email":"build@p1.iam.gserviceaccount.com")" + std::string(more) + "}";
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key;
  std::string pem;
};

inline const test_key& key_for_tests() {
  static const test_key one;
  return one;
}

}  // namespace dockline::gcp
