// The text of an ignore file, a NUL, and paths, one a line. Whatever the rules are: asking them twice gives
// the same answer, and a pattern with a short way matches what its expression matches.

#include "archive/ignore_rules.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace dockline;
using namespace dockline::archive;

// Invalid UTF-8 is a replacement character to an expression, and itself to a comparison of bytes; a newline
// is nothing that '.' takes; the others have a meaning in an expression only.
bool is_comparable(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80 || std::string_view("^|{}\n").find(c) != std::string_view::npos)
      return false;
  return true;
}

void compare_ways(const ignore_pattern& pattern, std::string_view path) {
  if (pattern.how() == ignore_pattern::kind::expression) return;
  if (!is_comparable(pattern.text()) || !is_comparable(path)) return;
  auto how = ignore_pattern::kind::exact;
  const std::string text = ignore_pattern::expression_of(pattern.text(), how);
  std::string reason;
  const auto expression = regexp::compile(text, reason);
  // "**/x" in its short way is also equal to "x", and any suffix has to follow a '/'; "x/**" leaves out "x/".
  if (!expression || how != ignore_pattern::kind::exact) return;
  regexp_matcher matcher(*expression);
  if (matcher.matches(path) != pattern.matches_plainly(path)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\0');
  diagnostics why;
  const auto rules = ignore_rules::parse(text.substr(0, end), "rules", why);
  if (!rules) {
    if (rules.error() != errc::invalid_pattern || why.client_message().empty()) std::abort();
    return 0;
  }
  std::string_view paths = end == text.npos ? std::string_view() : text.substr(end + 1);
  ignore_matcher first(*rules);
  while (!paths.empty()) {
    const std::string_view path = paths.substr(0, paths.find('\n'));
    paths.remove_prefix(std::min(paths.size(), path.size() + 1));
    if (path.empty()) continue;
    rule_marks marks;
    const ignore_rule* by = first.ignored_by(path, {}, &marks);
    ignore_matcher second(*rules);
    if (second.ignored_by(path, {}, nullptr) != by) std::abort();
    if (by && by->exception) std::abort();
    (void)rules->classic_enters(path);
    (void)rules->buildkit_enters(path);
    for (const ignore_rule& rule : rules->rules()) compare_ways(rule.pattern, path);
  }
  return 0;
}
