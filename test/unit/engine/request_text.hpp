#pragma once

// The text of a request as it goes onto the wire, for golden comparisons.

#include "dockline/core/diagnostics.hpp"

#include "engine/endpoint.hpp"

#include <string>

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

}  // namespace dockline::engine
