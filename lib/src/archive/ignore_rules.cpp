#include "archive/ignore_rules.hpp"

#include "archive/clean_path.hpp"
#include "archive/utf8.hpp"
#include "core/ascii.hpp"

#include <algorithm>
#include <utility>

namespace dockline::archive {
namespace {

// docker reads lines with a buffer of this size, newline included.
constexpr std::size_t line_limit = 64 * 1024;

// All expressions of a file together may remember this much between two paths.
constexpr std::size_t rules_limit = 8 << 20;

bool is_space(char32_t rune) noexcept {
  return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 || rune == 0xA0 || rune == 0x1680 ||
         (rune >= 0x2000 && rune <= 0x200A) || rune == 0x2028 || rune == 0x2029 || rune == 0x202F ||
         rune == 0x205F || rune == 0x3000;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty()) {
    const decoded_rune first = decode_rune(text);
    if (!is_space(first.rune)) break;
    text.remove_prefix(first.length);
  }
  while (!text.empty()) {
    std::size_t length = 1;  // of the last code point: back to its first byte
    while (length < 4 && length < text.size() &&
           (static_cast<unsigned char>(text[text.size() - length]) & 0xC0) == 0x80)
      ++length;
    const decoded_rune last = decode_rune(text.substr(text.size() - length));
    if (last.length != length || !is_space(last.rune)) break;
    text.remove_suffix(length);
  }
  return text;
}

error_code refuse(diagnostics& why, const std::string& file, int line, std::string_view what,
                  const std::string& reason) {
  why.set_client_message(file + " line " + std::to_string(line) + ": " + reason +
                         (what.empty() ? std::string() : ": " + std::string(what)));
  return errc::invalid_pattern;
}

// `pattern` less what would only say "all of it", for asking whether wildcards are left.
std::string_view without_final_glob(std::string_view pattern) {
  if (pattern.ends_with("/**")) pattern.remove_suffix(3);
  if (pattern.ends_with("/*")) pattern.remove_suffix(2);
  return pattern;
}

// Whether `pattern` is `directory` or lies in it, both as plain text.
bool lies_in(std::string_view pattern, std::string_view directory) {
  return pattern.starts_with(directory) &&
         (pattern.size() == directory.size() || pattern[directory.size()] == '/');
}

}  // namespace

result<std::vector<ignore_line>> read_ignore_lines(std::string_view text, const std::string& file,
                                                   diagnostics& why) {
  std::vector<ignore_line> lines;
  int number = 0;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    ++number;
    if (line.size() >= line_limit) return refuse(why, file, number, {}, "the line is too long");
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1) line = without_byte_order_mark(line);
    if (line.starts_with('#')) continue;
    std::string_view pattern = trimmed(line);
    if (pattern.empty()) continue;
    ignore_line entry;
    entry.line = number;
    entry.written = pattern;
    const bool exception = pattern.starts_with('!');
    if (exception) {
      pattern = trimmed(pattern.substr(1));
      entry.pattern = "!";
    }
    if (!pattern.empty()) {
      std::string cleaned = clean_path(pattern);
      if (cleaned.size() > 1 && cleaned.front() == '/') cleaned.erase(0, 1);
      entry.pattern += cleaned;
    }
    lines.push_back(std::move(entry));
  }
  return lines;
}

std::string exception_for(std::string_view name) {
  std::string line = "!";
  for (const char letter : name) {
    if (std::string_view("*?[]\\").find(letter) != std::string_view::npos) line += '\\';
    line += letter >= 0 && letter <= ' ' ? '?' : letter;
  }
  return line + '\n';
}

result<ignore_rules> ignore_rules::parse(std::string_view text, const std::string& file, diagnostics& why) {
  auto lines = read_ignore_lines(text, file, why);
  if (!lines) return lines.error();
  ignore_rules parsed;
  parsed.rules_.reserve(lines->size());
  for (auto& line : *lines)
    if (const error_code code = parsed.add(std::move(line), file, why)) return code;
  return parsed;
}

result<ignore_rules> ignore_rules::from_patterns(std::span<const std::string> patterns,
                                                 const std::string& origin, diagnostics& why) {
  ignore_rules parsed;
  parsed.rules_.reserve(patterns.size());
  int number = 0;
  for (const std::string& pattern : patterns)
    if (const error_code code = parsed.add({pattern, pattern, ++number}, origin, why)) return code;
  return parsed;
}

error_code ignore_rules::add(ignore_line line, const std::string& file, diagnostics& why) {
  std::string pattern(trimmed(line.pattern));
  if (pattern.empty()) return {};
  pattern = clean_path(pattern);
  ignore_rule rule;
  rule.exception = pattern.front() == '!';
  if (rule.exception) {
    pattern.erase(0, 1);
    if (pattern.empty())
      return refuse(why, file, line.line, line.written, "an exception needs a pattern after its \"!\"");
  }
  std::string reason;
  auto compiled = ignore_pattern::compile(std::move(pattern), reason);
  if (!compiled) return refuse(why, file, line.line, line.written, reason);
  rule.pattern = std::move(*compiled);
  rule.written = std::move(line.written);
  rule.line = line.line;
  const bool wild =
      without_final_glob(rule.pattern.text()).find_first_of("*[]?^\\") != std::string_view::npos;
  if (rule.exception) has_exceptions_ = true;
  (rule.exception ? has_wild_exceptions_ : has_wild_patterns_) |= wild;
  rules_.push_back(std::move(rule));
  return {};
}

bool ignore_rules::classic_enters(std::string_view directory) const {
  return has_exceptions_ && std::any_of(rules_.begin(), rules_.end(), [&](const ignore_rule& rule) {
           return rule.exception && lies_in(rule.pattern.text(), directory);
         });
}

bool ignore_rules::buildkit_enters(std::string_view directory) const {
  return has_wild_exceptions_ ||
         (has_exceptions_ && std::any_of(rules_.begin(), rules_.end(), [&](const ignore_rule& rule) {
            return rule.exception && lies_in(without_final_glob(rule.pattern.text()), directory);
          }));
}

bool ignore_rules::may_match_in(std::string_view directory) const {
  return has_wild_patterns_ || std::any_of(rules_.begin(), rules_.end(), [&](const ignore_rule& rule) {
           return !rule.exception && lies_in(without_final_glob(rule.pattern.text()), directory);
         });
}

ignore_matcher::ignore_matcher(const ignore_rules& rules) : rules_(&rules), matchers_(rules.rules().size()) {}

const ignore_rule* ignore_matcher::ignored_by(std::string_view path, const rule_marks& inherited,
                                              rule_marks* marks) {
  const auto rules = rules_->rules();
  if (marks) marks->assign(rules.size(), false);
  const ignore_rule* by = nullptr;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    bool match = !inherited.empty() && inherited[i];
    if (!match) {
      // A rule that could change nothing is not asked, and so is not marked either.
      if (rules[i].exception != (by != nullptr)) continue;
      match = inherited.empty() ? matches_or_parent(i, path) : matches(i, path);
    }
    if (!match) continue;
    if (marks) (*marks)[i] = true;
    by = rules[i].exception ? nullptr : &rules[i];
  }
  return by;
}

bool ignore_matcher::matches_or_parent(std::size_t index, std::string_view path) {
  if (matches(index, path)) return true;
  for (std::size_t slash = path.find('/', 1); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (matches(index, path.substr(0, slash))) return true;
  }
  return false;
}

bool ignore_matcher::matches(std::size_t index, std::string_view path) {
  const ignore_pattern& pattern = rules_->rules()[index].pattern;
  const regexp* expression = pattern.expression();
  if (expression == nullptr) return pattern.matches_plainly(path);
  if (!path.starts_with(expression->prefix()) || !path.ends_with(expression->suffix())) return false;
  auto& matcher = matchers_[index];
  if (!matcher) matcher = std::make_unique<regexp_matcher>(*expression);
  const std::size_t before = matcher->bytes();
  const bool found = matcher->matches(path);
  bytes_ += matcher->bytes() - before;
  if (bytes_ > rules_limit) {
    for (auto& other : matchers_) other.reset();
    bytes_ = 0;
  }
  return found;
}

}  // namespace dockline::archive
