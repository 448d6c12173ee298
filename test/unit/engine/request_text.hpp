#pragma once

// The text of a request as it goes onto the wire, for golden comparisons.

#include "dockline/core/diagnostics.hpp"

#include "engine/endpoint.hpp"

#include <string>
#include <string_view>

namespace dockline::engine {

inline std::string request_text(const endpoint& what, api_version version, bool chunked = false) {
  diagnostics why;
  http::body_framing framing;
  framing.length = what.body.size();
  if (chunked) framing.length.reset();
  const auto head = http::encode_head(what.head(version, "dockline/test"), framing, why);
  if (!head) return "refused: " + why.client_message();
  return *head + what.body;
}

// In the version that most cases speak.
constexpr api_version newest{1, 51};

inline std::string text(const endpoint& what) { return request_text(what, newest); }
inline std::string text(const result<endpoint>& what) { return what ? text(*what) : what.error().message(); }

// The text of a request without a body.
inline std::string bare(std::string_view request_line, std::string_view fields = {}, bool length = false) {
  return std::string(request_line) + " HTTP/1.1\r\nUser-Agent: dockline/test\r\n" + std::string(fields) +
         "Host: docker\r\n" + (length ? "Content-Length: 0\r\n" : "") + "\r\n";
}

// Of one with a body of JSON.
inline std::string with_json(std::string_view request_line, const std::string& body,
                             std::string_view fields = {}) {
  return std::string(request_line) +
         " HTTP/1.1\r\nUser-Agent: dockline/test\r\nContent-Type: application/json\r\n" +
         std::string(fields) + "Host: docker\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

}  // namespace dockline::engine
