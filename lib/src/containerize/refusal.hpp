#pragma once

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include <string>
#include <string_view>

namespace dockline::containerize {

// Bad input, said in one form everywhere: FIELD "VALUE": RULE.
inline errc refuse(std::string_view field, std::string_view value, std::string_view rule, diagnostics& why) {
  std::string text(field);
  if (!value.empty()) text.append(" \"").append(value).append("\"");
  why.set_client_message(text.append(": ").append(rule));
  return errc::invalid_argument;
}

}  // namespace dockline::containerize
