#pragma once

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include <string>
#include <utility>

namespace dockline::buildkit {

// Bad input, in words of its own.
inline error_code refuse(diagnostics& why, std::string words) {
  why.set_client_message(std::move(words));
  return errc::invalid_argument;
}

}  // namespace dockline::buildkit
