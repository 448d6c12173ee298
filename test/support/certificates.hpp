#pragma once

// Certificates for tests of TLS, made when the test runs.

#include <memory>
#include <string>
#include <vector>

namespace dockline::test {

// What a certificate says.
struct certificate_request {
  certificate_request() = default;

  std::vector<std::string> names;  // "DNS:localhost", "IP:127.0.0.1"
  long valid_from = -3600;         // seconds from now
  long valid_until = 24 * 3600;
  bool for_client = false;
};

// A certificate and its key as PEM text.
struct key_pair {
  std::string certificate;
  std::string key;
};

// An authority that signs whatever it is asked to.
class authority {
 public:
  explicit authority(const std::string& name);
  ~authority();
  authority(const authority&) = delete;
  authority& operator=(const authority&) = delete;

  // Its own certificate.
  const std::string& certificate() const noexcept { return certificate_; }
  key_pair issue(const certificate_request& wanted) const;

 private:
  struct identity;
  std::unique_ptr<identity> identity_;
  std::string certificate_;
};

// The key once more, with a passphrase on it.
std::string locked(const std::string& key);

// Writes a file and returns its path.
std::string write_file(const std::string& path, const std::string& content);

}  // namespace dockline::test
