#pragma once

#include "dockline/progress/event.hpp"

#include <string>
#include <utility>

namespace dockline::progress {

inline step_log log(int index, std::string bytes, output_stream stream = output_stream::out) {
  return {index, stream, std::move(bytes)};
}

}  // namespace dockline::progress
