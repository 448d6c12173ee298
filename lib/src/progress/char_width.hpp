#pragma once

namespace dockline::progress {

// How many columns of a terminal a character takes: 0, 1 or 2. Control characters are the caller's business.
int char_width(char32_t character);

}  // namespace dockline::progress
