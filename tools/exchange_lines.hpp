#pragma once

#include <dockline/http/exchange_event.hpp>

#include <string>

namespace dockline::tool {

// What --debug shows of a request and its answer: lines, each beginning with "debug: #N", its number.
std::string exchange_lines(const http::exchange_event& what);

}  // namespace dockline::tool
