#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dockline::buildkit {

// The text or the bytes of field 1, which is all that a session's small messages have: the host, the id, the data
// of a request. Empty where the field is missing; nothing where the message is none.
std::optional<std::string> first_field(std::string_view message);

}  // namespace dockline::buildkit
