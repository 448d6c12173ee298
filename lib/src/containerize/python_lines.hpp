#pragma once

// Just enough of Python's grammar to tell where a line begins a statement: strings, brackets, comments and
// continued lines.

#include <cstddef>
#include <optional>
#include <string_view>

namespace dockline::containerize {

// Where a program stands between two lines.
struct python_state {
  char quote = 0;          // of the string that is open, else 0
  bool triple = false;     // which has three of them
  std::size_t depth = 0;   // of brackets
  bool continued = false;  // by a '\' at the end of the line

  bool begins_statement() const noexcept { return quote == 0 && depth == 0 && !continued; }
};

// A line, given where the program stood before it.
struct python_line {
  python_state after;
  // Where the command of `x = !command` or `x = %magic` begins, of a line that begins a statement.
  std::optional<std::size_t> assigned_magic;
  // Whether the line ends in a '?' that is no part of a string or comment: IPython's call for help.
  bool asks_help = false;
};

python_line read_python_line(python_state before, std::string_view line);

}  // namespace dockline::containerize
