#pragma once

#include <string.h>  // explicit_bzero

#include <string>

namespace dockline {

// Overwrites all that a text ever held, in a way that no compiler leaves out, and empties it. What it held
// before it last grew was somewhere else: who has a secret reserves room first.
inline void wipe(std::string& text) noexcept {
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace dockline
