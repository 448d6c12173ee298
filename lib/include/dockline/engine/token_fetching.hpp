#pragma once

// Who fetches the tokens that registries want.

#include "dockline/core/export.hpp"

#include <chrono>
#include <string>

namespace dockline::engine {

// A registry such as Docker Hub takes no password: it names a server that gives a token for it. Where BuildKit asks
// for an image, this side fetches the token by default, so that the daemon gets that, which is good for one
// repository and a few minutes, and not the password; one that asks for the password all the same, as BuildKit may
// after builds without credentials, gets it. Without credentials for the registry the daemon fetches its token itself.
//
// Credentials go to such a server by https, or by http to the registry's own host.
struct token_fetching {
  token_fetching() = default;

  // False: the daemon gets the credentials, and fetches the tokens; for a process that does not reach the servers.
  // (`docker buildx` has BUILDKIT_NO_CLIENT_TOKEN for it.)
  bool by_client = true;

  // The way there: the URL of a proxy for https:// URLs, and a list of what is reached without it, as HTTPS_PROXY and
  // NO_PROXY have them. Empty: none.
  std::string https_proxy;
  std::string no_proxy;  // "localhost,.example.com,10.0.0.0/8", or "*"

  // PEM file of the authorities that such a server's certificate may be of. Empty: those of the system, or of
  // SSL_CERT_FILE and SSL_CERT_DIR.
  std::string ca_file;

  // How long one token may take, above zero. BuildKit itself gives up after a minute.
  std::chrono::milliseconds timeout{30'000};
};

// As `docker buildx` would have it: not by this side where BUILDKIT_NO_CLIENT_TOKEN says so, by the proxy of
// HTTPS_PROXY and NO_PROXY or their names in small letters.
DOCKLINE_API token_fetching token_fetching_from_environment();

}  // namespace dockline::engine
