#pragma once

// A TCP port, plain or with TLS, in front of the Unix socket of a fake daemon (or a real one).

#include "support/certificates.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

struct ssl_ctx_st;

namespace dockline::test {

// What the port's side of TLS is like.
struct relay_tls {
  relay_tls() = default;

  key_pair own;
  std::string client_authority;  // PEM; when it is given, clients have to show a certificate of it
  int newest_version = 0;        // as OpenSSL numbers it; 0: any
  bool says_farewell = true;     // else the connection ends without TLS's own end
};

class relay {
 public:
  // `host` is a numeric address to listen on; `to` is "unix:///path".
  relay(const std::string& host, const std::string& to, std::optional<relay_tls> tls = std::nullopt);
  ~relay();
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  // Connections so far, and those whose handshake came to its end.
  int accepted() const noexcept { return accepted_; }
  int secured() const noexcept { return secured_; }
  // The name that the last client asked for.
  const std::string& asked_for() const noexcept { return asked_for_; }

 private:
  void accept_all();
  void serve(int client);

  std::string target_;
  ssl_ctx_st* context_ = nullptr;
  bool says_farewell_ = true;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::atomic<int> secured_ = 0;
  std::string asked_for_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace dockline::test
