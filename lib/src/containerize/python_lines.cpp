#include "containerize/python_lines.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace dockline::containerize {
namespace {

// Letters beyond ASCII are taken to be those of names.
bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_one_of(char c, std::string_view set) { return set.find(c) != set.npos; }

// What is open where the reader stands, from the outside to the inside.
struct frame {
  enum class kind {
    bracket,
    text,            // a string
    formatted_text,  // f'…', outside its fields
    field,           // of such a string, {…}, which is code
    format_spec,     // of such a field, behind its ':', which is text again
  };

  kind what = kind::bracket;
  char end = 0;         // the bracket or quote that closes it
  bool triple = false;  // which has three of them
  bool raw = false;
  bool named = false;  // in the name of \N{NAME}
  std::size_t line = 0;
};

// What stands before a string's quotes.
struct string_prefix {
  explicit string_prefix(std::string_view word) {
    if (word.size() > 2) return;
    for (const char c : word) {
      raw = raw || c == 'r' || c == 'R';
      // Python 3.14 has t'…', which is read in the same way.
      formatted = formatted || is_one_of(c, "fFtT");
      valid = valid && is_one_of(c, "rRbBuUfFtT");
    }
    if (!valid) raw = formatted = false;
  }

  bool valid = true;
  bool raw = false;
  bool formatted = false;
};

class statement_reader {
 public:
  explicit statement_reader(std::span<const std::string_view> lines) : lines_(lines) {}

  python_statement run() {
    while (!done_) {
      text_ = lines_[at_.line];
      at_.column = 0;
      continued_ = false;
      while (!done_ && at_.column < text_.size()) is_in_code() ? step_in_code() : step_in_text();
      if (!done_) end_line();
    }
    return std::move(read_);
  }

 private:
  using kind = frame::kind;

  char peek(std::size_t offset) const {
    return at_.column + offset < text_.size() ? text_[at_.column + offset] : '\0';
  }

  bool is_in_code() const {
    return open_.empty() || open_.back().what == kind::bracket || open_.back().what == kind::field;
  }

  void push(kind what, char end) {
    frame one;
    one.what = what;
    one.end = end;
    one.line = at_.line;
    open_.push_back(one);
  }

  void fail(std::string reason, std::size_t line) {
    read_.fault = std::move(reason);
    read_.fault_line = line;
    finish();
  }

  void finish() {
    read_.size = at_.line + 1;
    done_ = true;
  }

  // A command goes on behind a backslash, whatever is in it.
  void finish_command() {
    while (lines_[at_.line].ends_with('\\') && at_.line + 1 < lines_.size()) ++at_.line;
    finish();
  }

  void end_line() {
    if (!open_.empty() && !continued_ && !open_.back().triple) {
      const kind what = open_.back().what;
      if (what == kind::text || what == kind::formatted_text)
        return fail("a string is not closed", open_.back().line);
      // The line's end is the spec's.
      if (what == kind::format_spec) open_.pop_back();
    }
    if (open_.empty() && !continued_) return end_statement();
    if (at_.line + 1 < lines_.size()) {
      ++at_.line;
      return;
    }
    if (open_.empty()) return fail("nothing follows the '\\' at its end", at_.line);
    fail(is_in_code() ? "a bracket is not closed" : "a string is not closed", open_.back().line);
  }

  void end_statement() {
    read_.asks_help = last_ == '?';
    read_.disjointed = read_.disjointed || (!after_operand_ && is_one_of(last_, "+-*/%|&^~<>=.@"));
    if (foreign_ && !read_.asks_help) return fail(foreign_->first, foreign_->second);
    finish();
  }

  // Strings.

  void step_in_text() {
    frame& text = open_.back();
    const char c = text_[at_.column];
    const bool formatted = text.what != kind::text;
    if (c == '\\') return step_over_backslash(text, formatted);
    if (c == text.end && (!text.triple || (peek(1) == c && peek(2) == c))) {
      at_.column += text.triple ? 3 : 1;
      if (text.what == kind::format_spec) return fail("a bracket is not closed", text.line);
      open_.pop_back();
      after_operand_ = after_string_ = true;
      last_ = c;
      return;
    }
    if (formatted && c == '{' && !text.named) {
      // In a format spec they are no sign for a brace.
      const bool brace = peek(1) == '{' && text.what == kind::formatted_text;
      at_.column += brace ? 2 : 1;
      if (!brace) open_field();
      return;
    }
    if (formatted && c == '}') return close_field(text);
    ++at_.column;
  }

  void step_over_backslash(frame& text, bool formatted) {
    const char next = peek(1);
    if (at_.column + 1 == text_.size()) continued_ = true;
    if (formatted && (next == '{' || next == '}')) {
      ++at_.column;
      return;
    }
    const bool name = formatted && !text.raw && next == 'N' && peek(2) == '{';
    text.named = text.named || name;
    at_.column += name ? 3 : 2;
  }

  void open_field() {
    push(kind::field, '}');
    after_operand_ = false;
  }

  void close_field(frame& text) {
    ++at_.column;
    if (std::exchange(text.named, false)) return;
    if (text.what == kind::format_spec) {
      open_.pop_back();  // the spec, and its field
      open_.pop_back();
    } else if (peek(0) == '}') {
      ++at_.column;
    } else {
      fail("'}' closes nothing", at_.line);
    }
  }

  void open_format_spec() {
    const frame& string = open_[open_.size() - 2];
    frame spec = string;
    spec.what = kind::format_spec;
    spec.line = at_.line;
    open_.push_back(spec);
  }

  void open_string(std::string_view word) {
    const string_prefix prefix(word);
    if (after_operand_ && !after_string_) read_.disjointed = true;
    const char quote = text_[at_.column];
    push(prefix.formatted ? kind::formatted_text : kind::text, quote);
    open_.back().raw = prefix.raw;
    open_.back().triple = peek(1) == quote && peek(2) == quote;
    at_.column += open_.back().triple ? 3 : 1;
    last_ = quote;
  }

  // Code.

  void step_in_code() {
    const char c = text_[at_.column];
    if (c == '#') {
      at_.column = text_.size();
      return;
    }
    if (c == ' ' || c == '\t' || c == '\f') {
      ++at_.column;
      return;
    }
    if (c == '\\' && at_.column + 1 == text_.size()) {
      continued_ = true;
      ++at_.column;
      return;
    }
    if (!read_.first) {
      read_.first = at_;
      if (begins_command()) {
        read_.escaped = true;
        return finish_command();
      }
    }
    const bool assigned = std::exchange(after_assignment_, false);
    if (assigned && begins_assigned_command()) {
      read_.command = at_;
      return finish_command();
    }
    if (is_word(c)) return step_over_word();
    if (c == '\'' || c == '"') return open_string({});
    step_over_mark(c);
  }

  bool begins_command() const {
    const char c = text_[at_.column];
    const char next = peek(1);
    if (c == '%' || c == '!') return next != '=';
    if (c == '/') return next != '=' && next != '/';
    return c == '?' || c == ',' || c == ';';
  }

  bool begins_assigned_command() const {
    if (peek(0) == '!') return peek(1) != '=';
    if (peek(0) != '%') return false;
    const std::size_t name = text_.find_first_not_of(" \t%", at_.column);
    return name != text_.npos && is_word(text_[name]) && !is_digit(text_[name]);
  }

  void step_over_word() {
    const std::size_t start = at_.column;
    while (at_.column < text_.size() && is_word(text_[at_.column])) ++at_.column;
    const std::string_view word = text_.substr(start, at_.column - start);
    const char before = std::exchange(last_, word.back());
    const char next = peek(0);
    if ((next == '\'' || next == '"') && string_prefix(word).valid) return open_string(word);
    const bool keyword = is_python_keyword(word);
    if (after_operand_ && !keyword) read_.disjointed = true;
    after_operand_ = !keyword;
    after_string_ = false;
    if (is_digit(word.front()) || before == '.') return;
    if (read_.first->line == at_.line && read_.first->column == start) read_.word = word;
    read_.names.push_back(word);
    if (!read_.awaits && (word == "await" || (word == "async" && !is_harmless_async())))
      read_.awaits = at_.line;
  }

  // Functions may be "async" anywhere, and so may generators, which have round brackets.
  bool is_harmless_async() const {
    if (!open_.empty() && open_.back().end == ')') return true;
    const std::size_t next = std::min(text_.find_first_not_of(" \t", at_.column), text_.size());
    return text_.substr(next).starts_with("def");
  }

  void step_over_mark(char c) {
    const bool operand = std::exchange(after_operand_, false);
    after_string_ = false;
    const char before = std::exchange(last_, c);
    if (before == '.' && !operand) read_.disjointed = true;
    switch (c) {
      case '(': push(kind::bracket, ')'); break;
      case '[': push(kind::bracket, ']'); break;
      case '{':
        read_.disjointed = read_.disjointed || operand;
        push(kind::bracket, '}');
        break;
      case ')':
      case ']':
      case '}': return close_bracket(c);
      case ':':
        if (!open_.empty() && open_.back().what == kind::field) open_format_spec();
        break;
      case '.': return step_over_dot(operand);
      case '~': read_.disjointed = read_.disjointed || operand; break;
      case '=':
        after_assignment_ = open_.empty() && peek(1) != '=' && !is_one_of(before_column(), "=!<>:+-*/%&|^@~");
        break;
      case '!':
        // "!=", and the "!r" of a field.
        if (peek(1) == '=' || (!open_.empty() && open_.back().what == kind::field)) break;
        note_foreign(c);
        break;
      case '?':
        // Of "??" one is enough.
        if (before != '?') note_foreign(c);
        break;
      case '$':
      case '\\': note_foreign(c); break;
      default: break;
    }
    ++at_.column;
  }

  char before_column() const { return at_.column > 0 ? text_[at_.column - 1] : '\0'; }

  void note_foreign(char c) {
    if (!foreign_) foreign_.emplace("'" + std::string(1, c) + "' is not Python there", at_.line);
  }

  void close_bracket(char c) {
    const bool field = !open_.empty() && open_.back().what == kind::field;
    if (open_.empty() || open_.back().end != c) {
      std::string reason = "'" + std::string(1, c) + "' closes ";
      reason += open_.empty() ? "nothing" : "a bracket of another kind";
      return fail(std::move(reason), at_.line);
    }
    open_.pop_back();
    after_operand_ = !field;
    ++at_.column;
  }

  void step_over_dot(bool operand) {
    if (peek(1) == '.' && peek(2) == '.') {
      read_.disjointed = read_.disjointed || operand;
      after_operand_ = true;
      at_.column += 3;
      return;
    }
    if (!operand && !is_digit(peek(1))) read_.disjointed = true;
    ++at_.column;
  }

  std::span<const std::string_view> lines_;
  std::string_view text_;  // of the line
  python_position at_;
  bool done_ = false;
  std::vector<frame> open_;
  bool continued_ = false;  // by a '\' at the end of the line
  // What came last in code.
  char last_ = '\0';
  bool after_operand_ = false;
  bool after_string_ = false;
  bool after_assignment_ = false;
  // A character that is none of Python's, unless it asks for help, and its line.
  std::optional<std::pair<std::string, std::size_t>> foreign_;
  python_statement read_;
};

}  // namespace

python_statement read_statement(std::span<const std::string_view> lines) {
  return statement_reader(lines).run();
}

bool is_python_name(std::string_view text) noexcept {
  return !text.empty() && !is_digit(text.front()) && std::ranges::all_of(text, is_word);
}

bool is_python_keyword(std::string_view word) noexcept {
  constexpr std::array<std::string_view, 32> keywords = {
      "and",    "as",   "assert", "async",  "await",  "break",   "class",    "continue",
      "def",    "del",  "elif",   "else",   "except", "finally", "for",      "from",
      "global", "if",   "import", "in",     "is",     "lambda",  "nonlocal", "not",
      "or",     "pass", "raise",  "return", "try",    "while",   "with",     "yield",
  };
  return std::ranges::binary_search(keywords, word);
}

}  // namespace dockline::containerize
