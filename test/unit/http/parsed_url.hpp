#pragma once

#include "dockline/core/diagnostics.hpp"

#include "http/url.hpp"

#include <string_view>

namespace dockline::http {

inline url at(std::string_view text) {
  diagnostics why;
  return parse_url(text, why).value();
}

}  // namespace dockline::http
