#pragma once

// One operation of the library against the tests' Google, run to its completion.

#include "dockline/gcp/client.hpp"
#include "dockline/gcp/credentials.hpp"

#include "exchange/conversation.hpp"
#include "support/google_server.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace dockline::test {

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

// An event loop, a client on it, and the signal that cancels.
class cloud {
 public:
  cloud(gcp::credentials who, gcp::client_options options)
      : google(context.get_executor(), std::move(who), std::move(options)) {}
  explicit cloud(const google_server& server, std::string_view name = "service_account")
      : cloud(credentials_of(server, name), options_for(server)) {}

  asio::io_context context;
  asio::cancellation_signal cancel;
  gcp::client google;

  template <class T, class Start>
  std::shared_ptr<outcome<T>> begin(Start start) {
    auto seen = std::make_shared<outcome<T>>();
    start(seen->why,
          asio::bind_cancellation_slot(cancel.slot(), [seen](error_code code, auto... value) mutable {
            ++seen->completions;
            seen->code = code;
            if constexpr (sizeof...(value) > 0) seen->value = (std::move(value), ...);
          }));
    CHECK(seen->completions == 0);
    context.restart();
    return seen;
  }

  void run(std::chrono::seconds longest = patience) {
    context.restart();
    context.run_for(longest);
    CHECK(context.stopped());
  }

  template <class T, class Start>
  outcome<T> operation(Start start, std::chrono::seconds longest = patience) {
    auto seen = begin<T>(std::move(start));
    run(longest);
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }

  auto begin_token() {
    return begin<gcp::access_token>([this](diagnostics& why, auto token) {
      gcp::async_access_token(google, std::string(gcp::cloud_platform_scope), why, std::move(token));
    });
  }
  outcome<gcp::access_token> token() {
    auto seen = begin_token();
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }
};

}  // namespace dockline::test
