#pragma once

// The two kinds of message that a daemon sends by the thousand, read as they lie there: much faster than
// parsing them. Whatever is not written exactly as the daemons write it is left to the parser.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dockline::progress {

// The text of a message that is {"stream":"…"} and nothing else, which lies in `memory`. Empty for every
// other message, and for one that needs mending: half a surrogate pair, bytes that are not UTF-8.
std::optional<std::string_view> read_stream_message(std::string_view message, std::string& memory);

struct layer_message {
  std::string_view id;
  std::string_view status;
  std::uint64_t current = 0;
  std::uint64_t total = 0;
};

// A message {"status":"…","progressDetail":{…},"progress":"…","id":"…"}, of which the bar `progress` may be
// left out and is not looked at. Its texts lie in the message.
std::optional<layer_message> read_layer_message(std::string_view message);

}  // namespace dockline::progress
