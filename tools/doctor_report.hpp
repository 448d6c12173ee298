#pragma once

// What `doctor` has found, and how it is shown.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dockline::tool {

// What is wrong, and what to do about it.
struct problem {
  problem() = default;
  problem(bool keeps_from_working, std::string text, std::string help)
      : fatal(keeps_from_working), what(std::move(text)), cure(std::move(help)) {}

  bool fatal = false;  // nothing works before it is cured
  std::string what;
  std::string cure;  // empty: none is known
};

struct fact {
  // A text that is empty was not found out, and is null in JSON.
  using content = std::variant<std::string, bool, std::vector<std::string>>;

  fact() = default;
  fact(std::string key, std::string title, content what)
      : name(std::move(key)), label(std::move(title)), value(std::move(what)) {}

  std::string name;   // in JSON
  std::string label;  // for people
  content value;
};

// One subject: facts, or, where there may be several of a kind, a list of them.
struct findings {
  findings() = default;
  findings(std::string key, std::string heading) : name(std::move(key)), title(std::move(heading)) {}

  findings& add(std::string key, std::string label, fact::content value) {
    facts.emplace_back(std::move(key), std::move(label), std::move(value));
    return *this;
  }
  void warn(std::string what, std::string cure) {
    problems.emplace_back(false, std::move(what), std::move(cure));
  }
  void fail(std::string what, std::string cure) {
    problems.emplace_back(true, std::move(what), std::move(cure));
  }

  std::string name;
  std::string title;
  std::vector<fact> facts;
  std::vector<problem> problems;
};

// Whether nothing in it keeps dockline from working.
bool is_usable(const std::vector<findings>& all);

// For people: the facts, subject by subject, and below them what is wrong.
std::string report_text(const std::vector<findings>& all);
// One object on one line: "usable", an object for each subject, "problems".
std::string report_json(const std::vector<findings>& all);

}  // namespace dockline::tool
