#pragma once

// One operation of the library against the tests' Google, run to its completion.

#include "dockline/gcp/client.hpp"
#include "dockline/gcp/credentials.hpp"

#include "exchange/operation_loop.hpp"
#include "support/google_server.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace dockline::test {

// Of which the pieces of an upload are multiples.
constexpr std::size_t granule = std::size_t{256} << 10;

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// How a test reaches that Google: without long pauses between attempts.
inline gcp::client_options options_for(const google_server& google) {
  gcp::client_options options;
  options.storage_endpoint = google.base();
  options.cloud_build_endpoint = google.base();
  options.resource_manager_endpoint = google.base();
  options.metadata_host = google.metadata();
  options.ca_file = google.told("ca");
  options.project = google.told("project");
  options.retries.first_delay = 5ms;
  options.retries.longest_delay = 50ms;
  options.retries.budget = 5s;
  return options;
}

inline gcp::credentials credentials_of(const google_server& google, std::string_view name,
                                       const gcp::environment& variables = {}) {
  diagnostics why;
  const std::string path = google.credentials_file(name);
  auto parsed = gcp::parse_credentials(content_of(path), path, variables, why);
  REQUIRE_MESSAGE(parsed.has_value(), describe(parsed ? error_code() : parsed.error(), why));
  return std::move(*parsed);
}

// A client of that Google on a loop.
class cloud : public operation_loop {
 public:
  cloud(gcp::credentials who, gcp::client_options options)
      : google(context.get_executor(), std::move(who), std::move(options)) {}
  explicit cloud(const google_server& server, std::string_view name = "service_account")
      : cloud(credentials_of(server, name), options_for(server)) {}

  gcp::client google;

  auto begin_token() {
    return begin<gcp::access_token>([this](diagnostics& why, auto token) {
      gcp::async_access_token(google, std::string(gcp::cloud_platform_scope), why, std::move(token));
    });
  }
  outcome<gcp::access_token> token() { return end_of(begin_token()); }
};

}  // namespace dockline::test
