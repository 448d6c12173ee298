#pragma once

#include <string>

namespace dockline::http {

// How a TCP connection is secured, and by whom. A Unix socket and ssh need none of it and get none.
struct tls_options {
  tls_options() = default;

  // Whether TLS is spoken at all, version 1.2 or newer.
  bool enabled = false;

  // Whether the other side has to show a certificate for its name, of an authority that is known.
  bool verify = true;

  // PEM file of the authorities that are known. Empty: those of the system, or of SSL_CERT_FILE and
  // SSL_CERT_DIR. Not read without `verify`.
  std::string ca_file;

  // PEM file of the certificate that this side shows, with those of the authorities between, if any. Empty: none.
  std::string certificate_file;
  // PEM file of its private key; both or none. A key with a passphrase is refused.
  std::string key_file;

  // The name that is asked for and that the certificate has to be for. Empty: the host of the address.
  std::string server_name;
};

}  // namespace dockline::http
