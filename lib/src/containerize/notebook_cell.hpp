#pragma once

// The code of one notebook cell as a part of a script. What only IPython understands becomes what it means,
// where a script can have that, and a comment elsewhere.

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::containerize {

// A line that is not in the script as it was in the cell.
struct changed_line {
  changed_line() = default;

  int line = 0;  // of the cell, from 1
  std::string text;
  std::string became;     // empty for a comment
  bool assigned = false;  // x = !command became a comment: what stands on the left is not set any more
};

struct cell_script {
  cell_script() = default;

  std::string text;  // with a line end after each line
  std::vector<changed_line> changed;
  std::string fault;  // why it is no part of a script; empty when it is one
};

// What the cells before tell of a cell's code.
struct cells_before {
  cells_before() = default;

  bool any_statement = false;
  // Names that would be commands, had they not been used as names: `time`, after "import time".
  std::set<std::string, std::less<>> names;
  // Imports from __future__ that a script can have at its start only.
  std::string future_imports;
};

// Line ends are '\n' in `source`. Adds to `before` what the next cell has to know.
cell_script script_of_cell(std::string_view source, cells_before& before);

}  // namespace dockline::containerize
