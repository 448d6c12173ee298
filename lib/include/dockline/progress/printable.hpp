#pragma once

#include "dockline/core/export.hpp"

#include <string>
#include <string_view>

namespace dockline::progress {

// Text from outside as it may be shown on a terminal: escape sequences (colours, cursor movement, titles) are
// left out, and so are control characters but for the tab, since a terminal obeys them. Bytes that are not
// UTF-8 become U+FFFD. For one line: an end of line is a control character, and a space takes its place.
DOCKLINE_API std::string printable(std::string_view text);

}  // namespace dockline::progress
