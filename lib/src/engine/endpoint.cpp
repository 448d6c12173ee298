#include "engine/endpoint.hpp"

#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "core/json.hpp"
#include "http/status.hpp"

#include <algorithm>
#include <set>

namespace dockline::engine {
namespace {

// What is not JSON is shown as it is, up to here: a proxy's error page is long.
constexpr std::size_t longest_words = 2000;

// {"message": …} of every daemon; podman adds "cause" and sometimes leaves the body empty; a failed push of
// podman 5 has the stream's own {"errorDetail": …}; dockerd 28 says "client version … is too old" as plain
// text.
std::string words_of(std::string_view body) {
  if (const auto parsed = json::parse(body)) {
    const json::value root = parsed->root();
    for (const auto words :
         {root.find("message"), root.find("errorDetail").find("message"), root.find("error")}) {
      if (!words.string_or_empty().empty()) return std::string(words.string_or_empty());
    }
  }
  std::string text = to_utf8(body.substr(0, longest_words));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

}  // namespace

query& query::add(std::string_view key, std::string_view value) {
  pairs_.emplace_back(key, value);
  return *this;
}
query& query::add_text(std::string_view key, std::string_view value) {
  return value.empty() ? *this : add(key, value);
}
query& query::add_number(std::string_view key, std::int64_t value) {
  return value == 0 ? *this : add(key, std::to_string(value));
}
query& query::add_flag(std::string_view key, bool value) { return value ? add(key, "1") : *this; }

// {"label":{"a=b":true}}: the older of the two forms, which every engine takes.
query& query::add_filters(const filter_map& filters) {
  if (filters.empty()) return *this;
  json::writer out;
  out.begin_object();
  for (const auto& [name, values] : filters) {
    out.key(name).begin_object();
    for (const auto& value : std::set<std::string_view>(values.begin(), values.end()))
      out.key(value).boolean(true);
    out.end_object();
  }
  out.end_object();
  return add("filters", out.text());
}

std::string query::text() const {
  auto sorted = pairs_;
  std::ranges::stable_sort(sorted, {}, [](const auto& pair) -> const std::string& { return pair.first; });
  std::string text;
  for (const auto& [key, value] : sorted) {
    text += text.empty() ? '?' : '&';
    text += escape_query(key) + '=' + escape_query(value);
  }
  return text;
}

http::request_head endpoint::head(api_version version, std::string_view user_agent) const {
  http::request_head head;
  head.method = method;
  head.target = (versioned ? "/v" + to_string(version) : std::string()) + path + parameters.text();
  head.fields.push_back({"User-Agent", std::string(user_agent)});
  if (!body.empty()) head.fields.push_back({"Content-Type", "application/json"});
  head.fields.insert(head.fields.end(), fields.begin(), fields.end());
  return head;
}

result<void> endpoint::require(api_version version, api_version since, std::string_view what,
                               diagnostics& why) {
  if (since > needs) {
    needs = since;
    needs_for = what;
  }
  return require_version(version, since, what, why);
}

std::string escape_name(std::string_view name) {
  std::string text;
  for (;;) {
    const std::size_t slash = name.find('/');
    text += escape_path_segment(name.substr(0, slash));
    if (slash == name.npos) return text;
    text += '/';
    name.remove_prefix(slash + 1);
  }
}

std::string seconds_before(std::chrono::system_clock::time_point time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}
std::string seconds_after(std::chrono::system_clock::time_point time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).time_since_epoch().count());
}

error_code code_of_status(int status, std::string_view body, diagnostics& why) {
  why.set_server_message(words_of(body));
  const error_code code = http::code_of_status(status);
  const bool says_little =
      code == errc::service_failed || code == errc::refused || code == errc::unexpected_answer;
  if (says_little && why.server_message().empty())
    why.set_client_message("the daemon answered with status " + std::to_string(status));
  return code;
}

result<void> require_version(api_version version, api_version since, std::string_view what,
                             diagnostics& why) {
  if (version >= since) return {};
  why.set_client_message(std::string(what) + " needs API " + to_string(since) + ", this daemon speaks " +
                         to_string(version));
  return errc::unsupported_parameter;
}

}  // namespace dockline::engine
