#pragma once

#include "containerize/notebook_cell.hpp"

#include <string>
#include <string_view>

namespace dockline::containerize {

// A cell's script; of a cell that is no part of one the fault.
inline std::string cell(std::string_view source) {
  cells_before before;
  const cell_script made = script_of_cell(source, before);
  return made.fault.empty() ? made.text : "fault: " + made.fault;
}

}  // namespace dockline::containerize
