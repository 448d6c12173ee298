#include "http/tls_session.hpp"

#include "dockline/core/diagnostics.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>

namespace dockline::http {
namespace {

// RFC 8446, section 6: what a peer says when it gives up, as OpenSSL numbers it.
constexpr int alert(int description) { return SSL_AD_REASON_OFFSET + description; }

std::string text_of(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  if (!out || ASN1_TIME_print(out.get(), time) != 1) return "?";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string text_of(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0) return "?";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// The names and addresses that a certificate is for: "docker.example, 10.0.0.1".
std::string subjects_of(const X509* certificate) {
  std::string all;
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    std::string one;
    if (name->type == GEN_DNS) {
      const ASN1_STRING* text = name->d.dNSName;
      one.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                 static_cast<std::size_t>(ASN1_STRING_length(text)));
    } else if (name->type == GEN_IPADD) {
      const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      const int size = ASN1_STRING_length(name->d.iPAddress);
      if (size == 4) {
        boost::asio::ip::address_v4::bytes_type four;
        std::copy_n(bytes, four.size(), four.begin());
        one = boost::asio::ip::address_v4(four).to_string();
      } else if (size == 16) {
        boost::asio::ip::address_v6::bytes_type sixteen;
        std::copy_n(bytes, sixteen.size(), sixteen.begin());
        one = boost::asio::ip::address_v6(sixteen).to_string();
      }
    }
    // The peer wrote it.
    std::ranges::replace_if(
        one, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
    if (one.empty()) continue;
    all += (all.empty() ? "" : ", ") + one;
  }
  GENERAL_NAMES_free(names);
  return all.empty() ? "no name at all" : all;
}

bool is_ip(const std::string& host) {
  boost::system::error_code code;
  (void)boost::asio::ip::make_address(host, code);
  return !code;
}

}  // namespace

tls_session::tls_session(std::shared_ptr<const tls_context> context, const std::string& host)
    : context_(std::move(context)),
      session_(SSL_new(context_->get())),
      host_(context_->options().server_name.empty() ? host : context_->options().server_name) {
  SSL* session = session_.get();
  if (session == nullptr) throw std::bad_alloc();
  // Both ends in memory; OpenSSL owns them.
  SSL_set_bio(session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(session);
  SSL_set_app_data(session, this);
  if (context_->options().verify) SSL_set_verify(session, SSL_VERIFY_PEER, &tls_session::look_at);
  SSL_set_mode(session, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
  if (is_ip(host_)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host_.c_str());
  } else {
    // RFC 6066, section 3: a name, never an address.
    SSL_set_tlsext_host_name(session, host_.c_str());
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    SSL_set1_host(session, host_.c_str());
  }
}

// Keeps what a failed verification is about: OpenSSL has forgotten it when the handshake returns.
int tls_session::look_at(int good, X509_STORE_CTX* chain) {
  if (good == 1) return good;
  auto* const session =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const self = static_cast<tls_session*>(SSL_get_app_data(session));
  X509* const current = X509_STORE_CTX_get_current_cert(chain);
  if (current != nullptr && X509_up_ref(current) == 1) self->blamed_.reset(current);
  self->blamed_depth_ = X509_STORE_CTX_get_error_depth(chain);
  return good;
}

std::string tls_session::explain_certificate() const {
  const long verdict = SSL_get_verify_result(session_.get());
  const std::string whose = blamed_depth_ == 0 ? "its certificate" : "the certificate of its authority";
  const X509* const blamed = blamed_.get();
  const auto with = [&](const std::string& text, const auto& more) {
    return blamed != nullptr ? whose + text + more() : whose + text;
  };
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return with(" has expired",
                  [&] { return " (it was valid until " + text_of(X509_get0_notAfter(blamed)) + ")"; });
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return with(" is not yet valid",
                  [&] { return " (only from " + text_of(X509_get0_notBefore(blamed)) + ")"; });
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: {
      const std::string& known = context_->options().ca_file;
      return with(" is signed by an authority that is not known here",
                  [&] { return ": " + text_of(X509_get_issuer_name(blamed)); }) +
             "; known are those of " + (known.empty() ? "the system" : '"' + known + '"');
    }
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return with(" is not for \"" + host_ + "\"", [&] { return " but for " + subjects_of(blamed); });
    default: return whose + " is refused: " + X509_verify_cert_error_string(verdict);
  }
}

void tls_session::feed(boost::asio::const_buffer bytes) {
  BIO_write(SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(bytes.size()));
}

void tls_session::feed_end() { BIO_set_mem_eof_return(SSL_get_rbio(session_.get()), 0); }

std::string tls_session::take_output() {
  BIO* out = SSL_get_wbio(session_.get());
  std::string bytes(BIO_ctrl_pending(out), '\0');
  if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

// What went wrong, from OpenSSL's queue of errors.
std::string tls_session::explain(int outcome) {
  const auto code = ERR_peek_error();
  const bool without_certificate = context_->options().certificate_file.empty();
  std::string text;
  switch (ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: text = explain_certificate(); break;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE: text = "it does not speak TLS"; break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case alert(SSL_AD_PROTOCOL_VERSION): text = "it speaks no TLS of version 1.2 or newer"; break;
    case alert(SSL_AD_CERTIFICATE_REQUIRED):
      text = "it wants a client certificate, and was shown none";
      break;
    case alert(SSL_AD_BAD_CERTIFICATE):
    case alert(SSL_AD_HANDSHAKE_FAILURE):
    case alert(SSL_AD_UNSUPPORTED_CERTIFICATE):
    case alert(SSL_AD_CERTIFICATE_REVOKED):
    case alert(SSL_AD_CERTIFICATE_EXPIRED):
    case alert(SSL_AD_CERTIFICATE_UNKNOWN):
    case alert(SSL_AD_UNKNOWN_CA):
    case alert(SSL_AD_ACCESS_DENIED):
    case alert(SSL_AD_DECRYPT_ERROR):
      text = without_certificate
                 ? "it wants a client certificate, and was shown none"
                 : "it refuses the client certificate \"" + context_->options().certificate_file + "\"";
      text += std::string(" (") + ERR_reason_error_string(code) + ")";
      break;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: text = "it closed the connection"; break;
    default: break;
  }
  if (text.empty()) {
    const char* reason = ERR_reason_error_string(code);
    text = reason != nullptr              ? reason
           : outcome == SSL_ERROR_SYSCALL ? "it closed the connection"
                                          : "TLS failed";
  }
  ERR_clear_error();
  return text;
}

result<bool> tls_session::handshake(diagnostics& why) {
  ERR_clear_error();
  const int done = SSL_do_handshake(session_.get());
  if (done == 1) return true;
  const int outcome = SSL_get_error(session_.get(), done);
  if (outcome == SSL_ERROR_WANT_READ) return false;
  words_ = explain(outcome);
  why.set_client_message(words_);
  return errc::tls_failed;
}

result<std::size_t> tls_session::read(boost::asio::mutable_buffer block) {
  ERR_clear_error();
  const int size = static_cast<int>(std::min<std::size_t>(block.size(), std::numeric_limits<int>::max()));
  const int got = SSL_read(session_.get(), block.data(), size);
  if (got > 0) return static_cast<std::size_t>(got);
  const int outcome = SSL_get_error(session_.get(), got);
  if (outcome == SSL_ERROR_WANT_READ) return std::size_t{0};
  if (outcome == SSL_ERROR_ZERO_RETURN) return error_code(boost::asio::error::eof);
  const auto code = ERR_peek_error();
  // RFC 8446, section 6.1: an end without a word may be somebody else's doing.
  const bool cut = code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  words_ = explain(outcome);
  return cut ? errc::connection_lost : errc::tls_failed;
}

result<void> tls_session::write(boost::asio::const_buffer block) {
  if (block.size() == 0) return {};
  ERR_clear_error();
  // A BIO in memory takes everything.
  const int done = SSL_write(session_.get(), block.data(), static_cast<int>(block.size()));
  if (done > 0) return {};
  words_ = explain(SSL_get_error(session_.get(), done));
  return errc::tls_failed;
}

void tls_session::end_writing() {
  ERR_clear_error();
  SSL_shutdown(session_.get());
  ERR_clear_error();
}

}  // namespace dockline::http
