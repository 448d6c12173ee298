// The cells of test/data/notebook-cells.json, which holds the code that IPython itself makes of them.

#include "containerize/notebook_cell.hpp"
#include "support/test_data.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <fstream>
#include <sstream>
#include <string>

namespace dockline::containerize {
namespace {

std::string text_of(const rapidjson::Value& value) { return {value.GetString(), value.GetStringLength()}; }

bool is_code(const std::string& line) {
  const std::size_t start = line.find_first_not_of(" \t\f");
  if (start == line.npos || line[start] == '#') return false;
  return line.compare(start, 8, "pass  # ") != 0;
}

// The lines that Python runs.
std::string code_of(const std::string& script) {
  std::istringstream lines(script);
  std::string code;
  for (std::string line; std::getline(lines, line);) {
    if (is_code(line)) code += line + "\n";
  }
  return code;
}

}  // namespace

TEST_SUITE("containerize/notebook_cells") {
  TEST_CASE("of every row the code is that of IPython") {
    std::ifstream file(test_data() / "notebook-cells.json");
    std::stringstream text;
    text << file.rdbuf();
    rapidjson::Document rows;
    rows.Parse(text.str().c_str());
    REQUIRE_FALSE(rows.HasParseError());
    for (const auto& row : rows.GetArray()) {
      const std::string cell = text_of(row["cell"]);
      std::string expected;
      for (const auto& line : row["code"].GetArray()) expected += text_of(line) + "\n";
      cells_before before;
      const cell_script made = script_of_cell(cell, before);
      CHECK_MESSAGE(made.fault.empty(), cell, " : ", made.fault);
      CHECK_MESSAGE(code_of(made.text) == expected, cell);
    }
    CHECK(rows.Size() >= 250);
  }
}

}  // namespace dockline::containerize
