#include "support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <stdexcept>

namespace dockline::test {
namespace {

template <class T, void (*Free)(T*)>
struct release {
  void operator()(T* what) const noexcept { Free(what); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, release<EVP_PKEY, EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, release<X509, X509_free>>;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("cannot make a certificate: ") + what);
}

class memory {
 public:
  memory() : bio_(BIO_new(BIO_s_mem())) {}
  explicit memory(const std::string& text)
      : bio_(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))) {}
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;
  ~memory() { BIO_free(bio_); }

  BIO* get() const noexcept { return bio_; }
  std::string text() const {
    char* start = nullptr;
    const long size = BIO_get_mem_data(bio_, &start);
    return {start, static_cast<std::size_t>(size)};
  }

 private:
  BIO* bio_;
};

std::string pem(X509* certificate) {
  const memory out;
  require(PEM_write_bio_X509(out.get(), certificate) == 1, "PEM");
  return out.text();
}

std::string pem(EVP_PKEY* key) {
  const memory out;
  require(PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
  return out.text();
}

void name(X509_NAME* subject, const std::string& common) {
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

certificate_ptr blank(EVP_PKEY* key, long from, long until) {
  static long serial = 1000;
  certificate_ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

struct authority::identity {
  key_ptr key;
  certificate_ptr certificate;
};

authority::authority(const std::string& common) : identity_(std::make_unique<identity>()) {
  identity_->key.reset(EVP_EC_gen("P-256"));
  require(identity_->key != nullptr, "key");
  identity_->certificate = blank(identity_->key.get(), -7200, 48L * 3600);
  X509* own = identity_->certificate.get();
  name(X509_get_subject_name(own), common);
  X509_set_issuer_name(own, X509_get_subject_name(own));
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(own, own, NID_subject_key_identifier, "hash");
  require(X509_sign(own, identity_->key.get(), EVP_sha256()) > 0, "signature");
  certificate_ = pem(own);
}

authority::~authority() = default;

key_pair authority::issue(const certificate_request& wanted) const {
  const key_ptr key(EVP_EC_gen("P-256"));
  require(key != nullptr, "key");
  const certificate_ptr certificate = blank(key.get(), wanted.valid_from, wanted.valid_until);
  X509* const made = certificate.get();
  X509* const issuer = identity_->certificate.get();
  name(X509_get_subject_name(made), wanted.for_client ? "client" : "daemon");
  X509_set_issuer_name(made, X509_get_subject_name(issuer));
  extend(made, issuer, NID_ext_key_usage, wanted.for_client ? "clientAuth" : "serverAuth");
  std::string all;
  for (const auto& one : wanted.names) all += (all.empty() ? "" : ",") + one;
  if (!all.empty()) extend(made, issuer, NID_subject_alt_name, all);
  require(X509_sign(made, identity_->key.get(), EVP_sha256()) > 0, "signature");
  return {pem(made), pem(key.get())};
}

std::string locked(const std::string& key) {
  const memory in(key);
  const key_ptr read(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const memory out;
  std::string passphrase = "secret";
  require(PEM_write_bio_PrivateKey(out.get(), read.get(), EVP_aes_256_cbc(),
                                   reinterpret_cast<unsigned char*>(passphrase.data()),
                                   static_cast<int>(passphrase.size()), nullptr, nullptr) == 1,
          "PEM");
  return out.text();
}

std::string write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

}  // namespace dockline::test
