#include "engine/dockerfile_words.hpp"

#include "core/ascii.hpp"

#include <algorithm>

namespace dockline::engine {
namespace {

constexpr std::size_t longest_expansion = 64 * 1024;
constexpr int deepest_expansion = 16;

bool is_name_character(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

class expansion {
 public:
  expansion(std::string_view text, char escape, const dockerfile_variables& variables)
      : text_(text), escape_(escape), variables_(variables) {}

  std::string run() {
    std::string word = until('\0', 0);
    return too_long_ ? std::string() : word;
  }

 private:
  bool done() const { return at_ >= text_.size() || too_long_; }

  void append(std::string& to, std::string_view what) {
    if (to.size() + what.size() > longest_expansion) {
      too_long_ = true;
    } else {
      to += what;
    }
  }

  // Up to the closing character, which is taken as well.
  std::string until(char close, int depth) {
    std::string made;
    while (!done()) {
      const char c = text_[at_++];
      if (c == close && close != '\0') return made;
      if (c == '\'') {
        const std::size_t end = std::min(text_.find('\'', at_), text_.size());
        append(made, text_.substr(at_, end - at_));
        at_ = end + 1;
      } else if (c == '"') {
        append(made, double_quoted(depth));
      } else if (c == escape_) {
        if (!done()) made += text_[at_++];
      } else if (c == '$') {
        append(made, variable(depth));
      } else {
        made += c;
      }
    }
    return made;
  }

  std::string double_quoted(int depth) {
    std::string made;
    while (!done()) {
      const char c = text_[at_++];
      if (c == '"') break;
      if (c == escape_ && !done()) {
        const char next = text_[at_++];
        if (next != '"' && next != '$' && next != escape_) made += c;
        made += next;
      } else if (c == '$') {
        append(made, variable(depth));
      } else {
        made += c;
      }
    }
    return made;
  }

  std::string_view name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  std::string variable(int depth) {
    if (depth > deepest_expansion) return {};
    if (done()) return "$";
    if (text_[at_] != '{') {
      const std::string_view which = name();
      return which.empty() ? "$" : value_of(which);
    }
    ++at_;
    const std::string_view which = name();
    const std::string value = value_of(which);
    if (done()) return value;
    bool is_there = variables_.contains(which);
    char sign = text_[at_++];
    if (sign == '}') return value;
    if (sign == ':' && !done()) {
      is_there = !value.empty();
      sign = text_[at_++];
    }
    const std::string other = until('}', depth + 1);
    if (sign == '-') return is_there ? value : other;
    if (sign == '+') return is_there ? other : std::string();
    return value;
  }

  std::string value_of(std::string_view which) const {
    const auto found = variables_.find(which);
    return found == variables_.end() ? std::string() : found->second;
  }

  std::string_view text_;
  char escape_;
  const dockerfile_variables& variables_;
  std::size_t at_ = 0;
  bool too_long_ = false;
};

}  // namespace

std::string expand_word(std::string_view word, char escape, const dockerfile_variables& variables) {
  return expansion(word, escape, variables).run();
}

}  // namespace dockline::engine
