#pragma once

// Just enough of Python's grammar to tell where a statement begins and ends: strings (those with fields in
// them too, as Python 3.12 reads them), brackets, comments and continued lines. Along with what IPython adds.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::containerize {

struct python_position {
  std::size_t line = 0;  // from 0
  std::size_t column = 0;
};

// The lines that Python reads as one.
struct python_statement {
  python_statement() = default;

  std::size_t size = 0;  // of lines; at least one
  // Its first token; none of a blank line and of a comment.
  std::optional<python_position> first;
  std::string_view word;                // its first token, if that is a name or a keyword
  std::vector<std::string_view> names;  // names and keywords, those behind a '.' left out

  // Whether the first token is what IPython's commands begin with. Then the lines are those of the command,
  // and nothing in them was read.
  bool escaped = false;
  // Where the command of `x = !command` or `x = %magic` begins; it ends the statement.
  std::optional<python_position> command;
  bool asks_help = false;  // whether it ends in a '?', IPython's call for help
  // Whether no operator is between two operands, or no operand behind an operator, as in "cd a/b c".
  bool disjointed = false;
  // The line of the first "await" or "async" that is not that of "async def".
  std::optional<std::size_t> awaits;

  std::string fault;  // why it is no Python; empty when it may be
  std::size_t fault_line = 0;
};

// The first of `lines`, of which there is at least one. The views are into them.
python_statement read_statement(std::span<const std::string_view> lines);

bool is_python_name(std::string_view text) noexcept;
bool is_python_keyword(std::string_view word) noexcept;

}  // namespace dockline::containerize
