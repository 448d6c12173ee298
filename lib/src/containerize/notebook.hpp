#pragma once

// A Jupyter notebook (nbformat 3 and 4) as the script that its code cells make.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline::containerize {

struct notebook_script {
  notebook_script() = default;

  std::string text;
  std::vector<std::string> warnings;  // what is not as it was, and what that means
};

// The code cells in their order, a comment with the number of the cell (of all cells, from 1) before each.
// `name` is for messages.
// Errors: errc::invalid_argument; the diagnostics name the cell, where there is one, and the reason.
result<notebook_script> script_of_notebook(std::string_view json, std::string_view name, diagnostics& why);

}  // namespace dockline::containerize
