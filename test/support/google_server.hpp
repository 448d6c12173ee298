#pragma once

// The tests' own Google (test/support/google) as a child process, for a test or a bench to order from. It
// ends with the object, and keeps what it is sent in a scratch folder.
//
//     google_server google({"--bucket", "box"});
//     google.faults(R"({"method": "PUT", "nth": 2, "action": {"reset": "after"}})");
//     options.storage_endpoint = google.base();

#include "core/child_process.hpp"
#include "core/json.hpp"
#include "support/fake_daemon.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::test {

class google_server {
 public:
  explicit google_server(std::vector<std::string> options = {});
  ~google_server();
  google_server(const google_server&) = delete;
  google_server& operator=(const google_server&) = delete;

  // "http://127.0.0.1:PORT", or "https://localhost:PORT" with --tls.
  std::string base() const { return told("base"); }
  // HOST:PORT of the metadata server.
  std::string metadata() const { return told("metadata"); }
  // What else its line of JSON says: "ca", "project", "account"; empty for what it does not.
  std::string told(std::string_view what) const;
  // The path of a credentials file: "service_account", "authorized_user_revoked", …
  std::string credentials_file(std::string_view name) const;

  // Orders, as the server's own pages describe them; a test fails where one is refused.
  void faults(std::string_view rules) const { control("POST", "faults", rules); }
  void no_faults() const { control("DELETE", "faults", {}); }
  void settings(std::string_view changes) const { control("POST", "settings", changes); }
  void deny(std::string_view rules) const { control("POST", "deny", rules); }
  void scripts(std::string_view builds) const { control("POST", "scripts", builds); }
  void forget_log() const { control("DELETE", "log", {}); }
  std::string control(std::string_view method, std::string_view what, std::string_view body) const;

  // What was asked since the start or forget_log(): how many requests whose line matches, and of all of them
  // the sum of a number of their entries, "content" for one: bytes of objects that were sent.
  int count(std::string_view method, std::string_view path_part) const;
  std::int64_t sum(std::string_view number) const;
  // The ranges that were asked for of what has this in its path, in their order: "bytes=FROM-".
  struct asked_range {
    asked_range() = default;

    std::int64_t from = 0;
    int status = 0;  // of the answer
  };
  std::vector<asked_range> ranges(std::string_view path_part) const;

  // One request to it, and the body of its answer; the status must be 2xx.
  std::string ask(std::string_view method, std::string_view target, std::string_view body) const;

 private:
  void for_each_request(const std::function<void(json::value)>& visit) const;

  scratch_folder folder_;
  child_process process_;
  int leash_ = -1;
  json::document told_;
};

}  // namespace dockline::test
