// Whatever a notebook holds, it is a script or refused with words; and a script has nothing at the beginning
// of a statement that only IPython understands.

#include "dockline/containerize/config.hpp"

#include "containerize/notebook.hpp"
#include "containerize/notebook_cell.hpp"
#include "containerize/python_lines.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

namespace {

void check_script(std::string_view text) {
  using namespace dockline::containerize;
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) std::abort();
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  for (std::size_t at = 0; at < lines.size();) {
    const python_statement read = read_statement(std::span(lines).subspan(at));
    if (read.size == 0 || read.size > lines.size() - at) std::abort();
    if (read.escaped || read.command || read.asks_help || !read.fault.empty()) std::abort();
    at += read.size;
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
    containerize::cells_before before;
    const containerize::cell_script cell = containerize::script_of_cell(text, before);
    if (cell.fault.empty()) check_script(cell.text);
  }
  // And as a configuration.
  why.clear();
  containerize::containerize_options options;
  if (containerize::read_options(text, "c.json", options, why).has_value() != why.client_message().empty())
    std::abort();
  return 0;
}
