#pragma once

// What an operation asks the daemon for, as text, before there is a connection: the part of each endpoint
// that is tested from tables.

#include "dockline/core/error.hpp"
#include "dockline/engine/filters.hpp"

#include "engine/api_version.hpp"
#include "http/message.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline {
class byte_source;
class diagnostics;
}  // namespace dockline

namespace dockline::engine {

// The query of a request: only what was set, sorted by key, encoded as Go's url.Values does it.
class query {
 public:
  query& add(std::string_view key, std::string_view value);
  query& add_text(std::string_view key, std::string_view value);  // unless it is empty
  query& add_number(std::string_view key, std::int64_t value);    // unless it is zero
  query& add_flag(std::string_view key, bool value);              // "1" when true
  query& add_filters(const filter_map& filters);                  // unless there are none

  // "?a=1&b=2", or nothing.
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

struct endpoint {
  endpoint() = default;
  endpoint(std::string verb, std::string where) : method(std::move(verb)), path(std::move(where)) {}

  std::string method = "GET";
  std::string path;  // behind the version: "/images/app:1/json"
  query parameters;
  std::vector<http::header_field> fields;
  std::string body;                     // JSON, when there is one
  std::shared_ptr<byte_source> source;  // a streamed body instead
  bool versioned = true;
  api_version needs = oldest_api;  // of what it asks for, the newest; `needs_for` says which
  std::string needs_for;
  bool silent = false;  // may rightly say nothing for as long as it likes: no deadline but for connecting

  // Whether `version` has what came with `since`; if so, it is remembered for a repetition with an older one.
  // Errors: as require_version.
  result<void> require(api_version version, api_version since, std::string_view what, diagnostics& why);

  // The request line's target and the fields, as they go to the daemon.
  http::request_head head(api_version version, std::string_view user_agent) const;
};

// "/images/" + name + "/json", the name escaped but for its slashes.
std::string escape_name(std::string_view name);

// Whole seconds since 1970, the last before and the first after a time: podman finds nothing between times
// with a fraction.
std::string seconds_before(std::chrono::system_clock::time_point time);
std::string seconds_after(std::chrono::system_clock::time_point time);

// The code for an answer with this status; the daemon's words from its body go into `why`.
error_code code_of_status(int status, std::string_view body, diagnostics& why);

// Whether `version` has what came with `since`; if not, says so in `why`, naming both versions.
result<void> require_version(api_version version, api_version since, std::string_view what, diagnostics& why);

}  // namespace dockline::engine
