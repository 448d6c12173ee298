#include "archive/ignore_pattern.hpp"

#include "archive/utf8.hpp"
#include "core/ascii.hpp"

#include <cstddef>
#include <utility>

namespace dockline::archive {
namespace {

// A character of a class, perhaps escaped, which must not be the last thing in the chunk.
bool take_class_member(std::string_view& chunk) {
  if (chunk.empty() || chunk.front() == '-' || chunk.front() == ']') return false;
  if (chunk.front() == '\\') {
    chunk.remove_prefix(1);
    if (chunk.empty()) return false;
  }
  const decoded_rune decoded = decode_rune(chunk);
  if (decoded.rune == replacement_rune && decoded.length == 1) return false;
  chunk.remove_prefix(decoded.length);
  return !chunk.empty();
}

bool is_valid_chunk(std::string_view chunk) {
  while (!chunk.empty()) {
    const char first = chunk.front();
    chunk.remove_prefix(1);
    if (first == '\\') {
      if (chunk.empty()) return false;
      chunk.remove_prefix(1);
    } else if (first == '[') {
      if (chunk.starts_with('^')) chunk.remove_prefix(1);
      for (bool any = false; !(any && chunk.starts_with(']')); any = true) {
        if (!take_class_member(chunk)) return false;
        if (chunk.front() == '-') {
          chunk.remove_prefix(1);
          if (!take_class_member(chunk)) return false;
        }
      }
      chunk.remove_prefix(1);
    }
  }
  return true;
}

// The syntax of Go's filepath.Match, which docker asks first: it knows nothing of "**" and of regular
// expressions, and refuses classes that those would take. A pattern is looked at in chunks between stars.
bool is_valid_glob(std::string_view pattern) {
  while (!pattern.empty()) {
    while (pattern.starts_with('*')) pattern.remove_prefix(1);
    bool in_class = false;
    std::size_t end = 0;
    for (; end < pattern.size(); ++end) {
      const char c = pattern[end];
      if (c == '\\') {
        if (end + 1 < pattern.size()) ++end;
      } else if (c == '[') {
        in_class = true;
      } else if (c == ']') {
        in_class = false;
      } else if (c == '*' && !in_class) {
        break;
      }
    }
    if (!is_valid_chunk(pattern.substr(0, end))) return false;
    pattern.remove_prefix(end);
  }
  return true;
}

}  // namespace

std::string ignore_pattern::expression_of(std::string_view pattern, kind& how) {
  how = kind::exact;
  std::string expression = "^";
  pattern = without_byte_order_mark(pattern);
  for (bool first = true; !pattern.empty(); first = false) {
    const decoded_rune decoded = decode_rune(pattern);
    pattern.remove_prefix(decoded.length);
    switch (decoded.rune) {
      case '*':
        if (!pattern.starts_with('*')) {
          expression += "[^/]*";
          how = kind::expression;
          break;
        }
        pattern.remove_prefix(1);
        if (pattern.starts_with('/')) pattern.remove_prefix(1);
        if (!pattern.empty()) {
          expression += "(.*/)?";
          how = kind::expression;
        } else if (how == kind::exact) {
          how = kind::prefix;
        } else {
          expression += ".*";
          how = kind::expression;
        }
        if (first) how = kind::suffix;
        break;
      case '?':
        expression += "[^/]";
        how = kind::expression;
        break;
      case '\\': {
        expression += '\\';
        if (pattern.empty()) break;
        const decoded_rune escaped = decode_rune(pattern);
        append_rune(expression, escaped.rune);
        pattern.remove_prefix(escaped.length);
        how = kind::expression;
        break;
      }
      case '[':
      case ']':
        append_rune(expression, decoded.rune);
        how = kind::expression;
        break;
      // Only these are taken literally: ^ | { } reach the expression with their meaning there.
      case '.':
      case '+':
      case '(':
      case ')':
      case '$': expression += '\\'; [[fallthrough]];
      default: append_rune(expression, decoded.rune); break;
    }
  }
  expression += '$';
  return expression;
}

result<ignore_pattern> ignore_pattern::compile(std::string text, std::string& reason) {
  if (!is_valid_glob(text)) {
    reason = "syntax error in pattern";
    return make_error_code(errc::invalid_pattern);
  }
  ignore_pattern compiled;
  std::string expression = expression_of(text, compiled.how_);
  compiled.text_ = std::move(text);
  if (compiled.how_ == kind::expression) {
    auto parsed = regexp::compile(expression, reason);
    if (!parsed) {
      reason = "syntax error in pattern: " + reason;
      return parsed.error();
    }
    compiled.expression_ = std::make_shared<const regexp>(std::move(*parsed));
  }
  return compiled;
}

bool ignore_pattern::matches_plainly(std::string_view path) const noexcept {
  const std::string_view text = text_;
  switch (how_) {
    case kind::exact: return path == text;
    case kind::prefix: return path.starts_with(text.substr(0, text.size() - 2));
    case kind::suffix: {
      const std::string_view suffix = text.substr(2);
      return path.ends_with(suffix) || (suffix.starts_with('/') && path == suffix.substr(1));
    }
    case kind::expression: break;
  }
  return false;
}

}  // namespace dockline::archive
