#pragma once

// The code of one notebook cell as a part of a script: what only IPython understands becomes comments.

#include <string>
#include <string_view>
#include <vector>

namespace dockline::containerize {

// A line that became a comment.
struct commented_line {
  int line = 0;  // of the cell, from 1
  std::string text;
  bool assigned = false;  // x = !command: what stands on the left is not set any more
};

struct cell_script {
  cell_script() = default;

  std::string text;  // with a line end after each line
  std::vector<commented_line> commented;
  std::string fault;  // why it is no part of a script; empty when it is one
};

// Line ends are '\n' in `source`.
cell_script script_of_cell(std::string_view source);

}  // namespace dockline::containerize
