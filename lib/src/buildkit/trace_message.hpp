#pragma once

#include "core/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dockline::buildkit {

// Finds BuildKit's trace among the messages that answer POST /build.
class trace_messages {
 public:
  // The StatusResponse in a message {"id":"moby.buildkit.trace","aux":"…"}; empty for any other one, and for
  // one that is broken.
  std::optional<std::string> find(std::string_view message);

 private:
  json::document document_;
};

}  // namespace dockline::buildkit
