#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dockline::progress {

// The text of a message that is {"stream":"…"} and nothing else, which nearly every message of a build is.
// Much faster than parsing it. Empty for every other message, and for one that needs mending: half a
// surrogate pair, bytes that are not UTF-8. The text lies in `memory`.
std::optional<std::string_view> read_stream_message(std::string_view message, std::string& memory);

}  // namespace dockline::progress
