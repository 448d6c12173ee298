#include "containerize/python_lines.hpp"

namespace dockline::containerize {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class line_reader {
 public:
  line_reader(python_state before, std::string_view line)
      : line_(line), starts_statement_(before.begins_statement()) {
    read_.after = before;
    read_.after.continued = false;
  }

  python_line run() {
    while (at_ < line_.size()) read_.after.quote != 0 ? step_in_string() : step_in_code();
    // A string in single quotes ends with its line, rightly or not, unless a backslash leads it on.
    if (read_.after.quote != 0 && !read_.after.triple && !read_.after.continued) read_.after.quote = 0;
    return read_;
  }

 private:
  char peek(std::size_t offset) const { return at_ + offset < line_.size() ? line_[at_ + offset] : '\0'; }

  void step_in_string() {
    const char c = line_[at_];
    if (c == '\\') {
      if (at_ + 1 == line_.size()) read_.after.continued = !read_.after.triple;
      at_ += 2;
      return;
    }
    const bool closes = c == read_.after.quote && (!read_.after.triple || (peek(1) == c && peek(2) == c));
    if (!closes) {
      ++at_;
      return;
    }
    at_ += read_.after.triple ? 3 : 1;
    read_.after.quote = 0;
  }

  void step_in_code() {
    python_state& state = read_.after;
    const char c = line_[at_];
    if (c == '#') {
      at_ = line_.size();
      return;
    }
    if (c == ' ' || c == '\t' || c == '\f') {
      ++at_;
      return;
    }
    read_.asks_help = c == '?';
    if (c == '\'' || c == '"') {
      state.quote = c;
      state.triple = peek(1) == c && peek(2) == c;
      at_ += state.triple ? 3 : 1;
      return;
    }
    if (c == '(' || c == '[' || c == '{') ++state.depth;
    if ((c == ')' || c == ']' || c == '}') && state.depth > 0) --state.depth;
    if (c == '\\' && at_ + 1 == line_.size()) state.continued = true;
    if (c == '=' && state.depth == 0) look_at_assignment();
    ++at_;
  }

  // Neither "= !" nor "= %" is Python.
  void look_at_assignment() {
    if (!starts_statement_ || read_.assigned_magic || at_ == 0) return;
    constexpr std::string_view operators = "=!<>:+-*/%&|^@~";
    if (operators.find(line_[at_ - 1]) != operators.npos) return;
    const std::size_t value = line_.find_first_not_of(" \t", at_ + 1);
    if (value == line_.npos) return;
    const char next = value + 1 < line_.size() ? line_[value + 1] : '\0';
    const bool command = line_[value] == '!' && next != '=';
    const bool magic = line_[value] == '%' && (is_letter(next) || next == '%');
    if (command || magic) read_.assigned_magic = value;
  }

  std::string_view line_;
  bool starts_statement_;
  std::size_t at_ = 0;
  python_line read_;
};

}  // namespace

python_line read_python_line(python_state before, std::string_view line) {
  return line_reader(before, line).run();
}

}  // namespace dockline::containerize
