#pragma once

// TLS as a value that eats bytes and gives bytes: OpenSSL without a socket.

#include "dockline/core/error.hpp"
#include "dockline/http/tls_options.hpp"

#include <boost/asio/buffer.hpp>

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

namespace dockline {
class diagnostics;
}

namespace dockline::http {

// The settings with their files read, for any number of connections.
class tls_context {
 public:
  // Errors: errc::invalid_argument, with the option, the file and what is wrong with it in `why`.
  static result<std::shared_ptr<const tls_context>> make(const tls_options& options, diagnostics& why);

  const tls_options& options() const noexcept { return options_; }
  SSL_CTX* get() const noexcept { return context_.get(); }

 private:
  struct release {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  };

  tls_options options_;
  std::unique_ptr<SSL_CTX, release> context_;
};

// This side of one connection.
class tls_session {
 public:
  // `host`, as in the address, is whom it has to be, unless the options name another one.
  tls_session(std::shared_ptr<const tls_context> context, const std::string& host);

  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  // What came from the peer, and its end.
  void feed(boost::asio::const_buffer bytes);
  void feed_end();
  // What has to go to the peer.
  std::string take_output();

  // True when it is done, false when it needs more from the peer. There may be output in every case, an error
  // included: the peer is told why. Errors: errc::tls_failed; `why` has the reason.
  result<bool> handshake(diagnostics& why);

  // Bytes that the peer sent, 0 when it needs more from the peer. Errors: asio::error::eof when the peer said
  // that no more comes, errc::connection_lost when it ended without that, errc::tls_failed; words() then.
  result<std::size_t> read(boost::asio::mutable_buffer block);
  result<void> write(boost::asio::const_buffer block);
  // Tells the peer that nothing more comes; reading goes on.
  void end_writing();

  // What there is to say about the last error.
  const std::string& words() const noexcept { return words_; }

 private:
  struct release {
    void operator()(SSL* session) const noexcept { SSL_free(session); }
  };

  static int look_at(int good, X509_STORE_CTX* chain);
  std::string explain(int outcome);
  std::string explain_certificate() const;

  std::shared_ptr<const tls_context> context_;
  std::unique_ptr<SSL, release> session_;
  struct release_certificate {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  };
  std::unique_ptr<X509, release_certificate> blamed_;  // what verification stopped at
  int blamed_depth_ = 0;
  std::string host_;
  std::string words_;
};

}  // namespace dockline::http
