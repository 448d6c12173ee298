// The rows of test/data/patternmatcher-cases.tsv: patterns, a path, and whether the path is ignored.

#include "archive/ignore_pattern.hpp"
#include "archive/ignore_rules.hpp"
#include "support/test_data.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <fstream>
#include <string>
#include <vector>

namespace dockline::archive {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> columns(1);
  for (const char c : line) {
    if (c == '\t') {
      columns.emplace_back();
    } else {
      columns.back() += c;
    }
  }
  return columns;
}

std::string joined_patterns(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.c_str());
  std::string text;
  for (const auto& pattern : document.GetArray())
    text += std::string(pattern.GetString(), pattern.GetStringLength()) + "\n";
  return text;
}

std::string string_of(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.c_str());
  return {document.GetString(), document.GetStringLength()};
}

const char* name_of(ignore_pattern::kind how) {
  switch (how) {
    case ignore_pattern::kind::exact: return "exactMatch";
    case ignore_pattern::kind::prefix: return "prefixMatch";
    case ignore_pattern::kind::suffix: return "suffixMatch";
    case ignore_pattern::kind::expression: return "regexpMatch";
  }
  return "";
}

}  // namespace

TEST_SUITE("archive/patternmatcher_cases") {
  TEST_CASE("every row") {
    std::ifstream file(test_data() / "patternmatcher-cases.tsv");
    std::string line;
    int rows = 0;
    while (std::getline(file, line)) {
      if (line.empty() || line[0] == '#' || line.starts_with("source\t")) continue;
      const auto columns = split(line);
      REQUIRE(columns.size() == 5);
      CAPTURE(line);
      ++rows;
      const std::string patterns = joined_patterns(columns[2]);
      const std::string text = string_of(columns[3]);
      if (columns[1].starts_with("compile")) {
        auto how = ignore_pattern::kind::exact;
        const std::string expression =
            ignore_pattern::expression_of(std::string_view(patterns).substr(0, patterns.size() - 1), how);
        CHECK(name_of(how) == columns[4]);
        if (how == ignore_pattern::kind::expression) CHECK(expression == text);
        continue;
      }
      diagnostics why;
      const auto rules = ignore_rules::parse(patterns, "rules", why);
      if (columns[4] == "error") {
        CHECK(rules.has_error());
        CHECK(rules.error() == errc::invalid_pattern);
        continue;
      }
      REQUIRE_MESSAGE(rules.has_value(), why.client_message());
      ignore_matcher matcher(*rules);
      CHECK((matcher.ignored_by(text, {}, nullptr) != nullptr) == (columns[4] == "true"));
    }
    CHECK(rows == 159);
  }
}

}  // namespace dockline::archive
