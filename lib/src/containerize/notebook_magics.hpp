#pragma once

// What IPython's commands mean, as far as a script can have it.

#include <optional>
#include <string>
#include <string_view>

namespace dockline::containerize {

// Whether a name alone is a magic command to IPython, or one of its aliases for programs: "cd", "ls", "pip".
bool is_automagic_name(std::string_view word) noexcept;

// IPython's calls without brackets: "/f a b" is "f(a, b)", ",f a b" is "f("a", "b")", ";f a b" is "f("a b")".
// Empty for what calls nothing.
std::optional<std::string> call_of(std::string_view line);

// How much of a line is a prompt, that of `python` or that of IPython, with the space behind it; 0 for none.
// `first`: of the first line of a cell, where Python's "..." is none.
std::size_t python_prompt(std::string_view line, bool first) noexcept;
std::size_t ipython_prompt(std::string_view line) noexcept;

}  // namespace dockline::containerize
