#pragma once

#include <string>
#include <vector>

namespace dockline::tool {

// Rows as text in columns, each as wide as its widest cell and three spaces, the first row being the titles.
// Cells come from outside: what a terminal would obey is left out of them. Widths are counted in characters.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace dockline::tool
