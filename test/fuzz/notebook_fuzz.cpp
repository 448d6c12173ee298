// Whatever a notebook holds, it is a script or refused with words; and a script has nothing at the beginning
// of a statement that only IPython understands.

#include "dockline/containerize/config.hpp"

#include "containerize/notebook.hpp"
#include "containerize/notebook_cell.hpp"
#include "containerize/python_lines.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void check_script(std::string_view text) {
  using namespace dockline::containerize;
  python_state state;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) std::abort();
    const std::string_view line = text.substr(0, end);
    const python_line read = read_python_line(state, line);
    if (state.begins_statement()) {
      const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
      if (line.size() > start && (line[start] == '%' || line[start] == '!' || line[start] == '?'))
        std::abort();
      if (read.assigned_magic) std::abort();
    }
    state = read.after;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  diagnostics why;
  const auto script = containerize::script_of_notebook(text, "n.ipynb", why);
  if (script.has_value() != why.client_message().empty()) std::abort();
  if (script) check_script(script->text);
  // The same bytes as the source of a cell, as long as they are text with plain line ends.
  if (text.find('\r') == text.npos) {
    const containerize::cell_script cell = containerize::script_of_cell(text);
    if (cell.fault.empty()) check_script(cell.text);
  }
  // And as a configuration.
  why.clear();
  containerize::containerize_options options;
  if (containerize::read_options(text, "c.json", options, why).has_value() != why.client_message().empty())
    std::abort();
  return 0;
}
