#include "dockline/core/diagnostics.hpp"

#include "http/tls_session.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace dockline::http {
namespace {

// A key that wants a passphrase would ask for it on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 0;
}

struct closer {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

// The file is there and may be read: OpenSSL does not say well that it is not.
result<void> check_file(const char* what, const std::string& path, diagnostics& why) {
  const std::unique_ptr<std::FILE, closer> file(std::fopen(path.c_str(), "re"));
  const bool readable = file && (std::fgetc(file.get()) != EOF || std::ferror(file.get()) == 0);
  if (readable) return {};
  why.set_client_message(std::string("TLS ") + what + " \"" + path +
                         "\": " + std::generic_category().message(errno));
  return errc::invalid_argument;
}

}  // namespace

result<std::shared_ptr<const tls_context>> tls_context::make(const tls_options& options, diagnostics& why) {
  const auto refuse = [&](const char* what, const std::string& path, const std::string& reason) {
    ERR_clear_error();
    why.set_client_message(std::string("TLS ") + what + " \"" + path + "\": " + reason);
    return errc::invalid_argument;
  };
  auto made = std::make_shared<tls_context>();
  made->options_ = options;
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made->context_.get();
  if (context == nullptr) return make_error_code(boost::system::errc::not_enough_memory);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  bool locked = false;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &locked);
  ERR_clear_error();
  if (!options.verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (options.ca_file.empty()) {
      SSL_CTX_set_default_verify_paths(context);
    } else {
      if (auto checked = check_file("CA file", options.ca_file, why); !checked) return checked.error();
      if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
        return refuse("CA file", options.ca_file, "holds no PEM certificate");
      }
    }
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    why.set_client_message(options.key_file.empty() ? "TLS: a certificate without its private key"
                                                    : "TLS: a private key without its certificate");
    return errc::invalid_argument;
  }
  if (!options.certificate_file.empty()) {
    if (auto checked = check_file("certificate", options.certificate_file, why); !checked)
      return checked.error();
    if (auto checked = check_file("key", options.key_file, why); !checked) return checked.error();
    if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
      return refuse("certificate", options.certificate_file, "holds no PEM certificate");
    }
    if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      const auto code = ERR_peek_last_error();
      if (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
          ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH) {
        return refuse("key", options.key_file,
                      "is not the key of the certificate \"" + options.certificate_file + "\"");
      }
      return refuse(
          "key", options.key_file,
          locked ? "has a passphrase; only keys without one can be used" : "holds no PEM private key");
    }
    if (SSL_CTX_check_private_key(context) != 1) {
      return refuse("key", options.key_file,
                    "is not the key of the certificate \"" + options.certificate_file + "\"");
    }
  }
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  return std::shared_ptr<const tls_context>(std::move(made));
}

}  // namespace dockline::http
