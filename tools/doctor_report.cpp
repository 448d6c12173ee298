#include "doctor_report.hpp"

#include <dockline/progress/printable.hpp>

#include "json_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dockline::tool {
namespace {

struct shown {
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(bool truth) const { return truth ? "yes" : "no"; }
  std::string operator()(const std::vector<std::string>& texts) const {
    std::string joined;
    for (const auto& one : texts) joined += (joined.empty() ? "" : ", ") + one;
    return joined;
  }
};

std::string facts_json(const findings& subject) {
  json_object object;
  for (const auto& [name, label, value] : subject.facts) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      object.add_known(name, *text);
    } else if (const auto* truth = std::get_if<bool>(&value)) {
      object.add(name, *truth);
    } else {
      object.add(name, std::get<std::vector<std::string>>(value));
    }
  }
  return object.text();
}

std::string problem_json(const findings& subject, const problem& one) {
  json_object object;
  object.add("subject", subject.name).add("severity", one.fatal ? "error" : "warning").add("what", one.what);
  object.add_known("cure", one.cure);
  return object.text();
}

}  // namespace

bool is_usable(const std::vector<findings>& all) {
  return std::ranges::none_of(
      all, [](const findings& subject) { return std::ranges::any_of(subject.problems, &problem::fatal); });
}

std::string report_text(const std::vector<findings>& all) {
  std::string text;
  for (const auto& subject : all) {
    text += subject.title + "\n";
    for (const auto& [name, label, value] : subject.facts) {
      const std::string words = std::visit(shown(), value);
      if (!words.empty()) text += fmt::format("  {:<18} {}\n", label + ":", progress::printable(words));
    }
    text += "\n";
  }
  std::string wrong;
  for (const bool fatal : {true, false}) {
    for (const auto& subject : all) {
      for (const auto& one : subject.problems) {
        if (one.fatal != fatal) continue;
        wrong += fmt::format("  {}: {}\n", fatal ? "error" : "warning", progress::printable(one.what));
        if (!one.cure.empty()) wrong += fmt::format("    cure: {}\n", progress::printable(one.cure));
      }
    }
  }
  return text + (wrong.empty() ? "No problems found.\n" : "Problems\n" + wrong);
}

std::string report_json(const std::vector<findings>& all) {
  json_object object;
  object.add("usable", is_usable(all));
  std::string problems;
  for (const auto& subject : all) {
    object.add_json(subject.name, facts_json(subject));
    for (const auto& one : subject.problems)
      problems += (problems.empty() ? "" : ",") + problem_json(subject, one);
  }
  object.add_json("problems", "[" + problems + "]");
  return object.line();
}

}  // namespace dockline::tool
