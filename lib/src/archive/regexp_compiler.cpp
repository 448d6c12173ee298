#include "archive/regexp.hpp"
#include "archive/utf8.hpp"
#include "core/ascii.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace dockline::archive {
namespace {

using kind = regexp_instruction::kind;
using range_list = std::vector<rune_range>;

constexpr char32_t max_rune = 0x10FFFF;
constexpr int max_repeat = 1000;              // as in Go
constexpr std::size_t max_program = 1000000;  // instructions

struct named_class {
  std::string_view name;
  std::initializer_list<rune_range> ranges;
};

const named_class posix_classes[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
    {"ascii", {{0, 0x7F}}},
    {"blank", {{'\t', '\t'}, {' ', ' '}}},
    {"cntrl", {{0, 0x1F}, {0x7F, 0x7F}}},
    {"digit", {{'0', '9'}}},
    {"graph", {{'!', '~'}}},
    {"lower", {{'a', 'z'}}},
    {"print", {{' ', '~'}}},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
    {"space", {{'\t', '\r'}, {' ', ' '}}},
    {"upper", {{'A', 'Z'}}},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

// \d, \s and \w.
std::optional<range_list> perl_class(char letter) {
  switch (letter) {
    case 'd': return range_list{{'0', '9'}};
    case 's': return range_list{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
    case 'w': return range_list{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  }
  return std::nullopt;
}

range_list normalised(range_list ranges) {
  std::sort(ranges.begin(), ranges.end());
  range_list merged;
  for (const auto& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, range.second);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

range_list complement(const range_list& ranges) {
  range_list rest;
  char32_t next = 0;
  for (const auto& [low, high] : normalised(ranges)) {
    if (low > next) rest.emplace_back(next, low - 1);
    next = high + 1;
  }
  if (next <= max_rune) rest.emplace_back(next, max_rune);
  return rest;
}

int hex_value(char32_t rune) noexcept {
  if (rune >= '0' && rune <= '9') return static_cast<int>(rune - '0');
  if (rune >= 'a' && rune <= 'f') return static_cast<int>(rune - 'a' + 10);
  if (rune >= 'A' && rune <= 'F') return static_cast<int>(rune - 'A' + 10);
  return -1;
}

}  // namespace

// A parser that emits the program as it goes. Whatever was emitted for one item is position-independent, so
// that a repetition wraps or copies it. Each function returns false when it set reason_.
class regexp_compiler {
 public:
  regexp_compiler(std::string_view text, std::string& reason) : rest_(text), reason_(reason) {}

  std::optional<regexp> run() {
    if (!alternatives(0)) return std::nullopt;
    if (!rest_.empty()) return fail("unexpected )"), std::nullopt;
    emit(kind::match);
    literal_ends();
    out_.classify();
    return std::move(out_);
  }

 private:
  bool fail(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  std::vector<regexp_instruction>& program() { return out_.program_; }

  void emit(kind what, char32_t rune = 0) {
    regexp_instruction instruction;
    instruction.what = what;
    instruction.rune = rune;
    program().push_back(instruction);
  }

  void emit_set(range_list ranges) {
    emit(kind::set, static_cast<char32_t>(out_.sets_.size()));
    out_.sets_.push_back(normalised(std::move(ranges)));
  }

  regexp_instruction split(std::size_t to, std::size_t other) const {
    regexp_instruction instruction;
    instruction.what = kind::split;
    instruction.to = static_cast<std::int32_t>(to);
    instruction.other = static_cast<std::int32_t>(other);
    return instruction;
  }

  void insert(std::size_t where, regexp_instruction instruction) {
    program().insert(program().begin() + static_cast<std::ptrdiff_t>(where), instruction);
  }

  // a|b|c, up to the end of the text or of the group.
  bool alternatives(int depth) {
    std::vector<std::size_t> jumps;  // from the end of each alternative but the last
    for (;;) {
      const std::size_t start = program().size();
      if (!sequence(depth)) return false;
      if (rest_.empty() || rest_.front() != '|') break;
      rest_.remove_prefix(1);
      if (depth == 0) alternatives_at_top_ = true;
      const std::size_t length = program().size() - start;
      insert(start, split(1, length + 2));
      jumps.push_back(program().size());
      emit(kind::jump);
    }
    for (const std::size_t jump : jumps)
      program()[jump].to = static_cast<std::int32_t>(program().size() - jump);
    return true;
  }

  bool sequence(int depth) {
    std::optional<std::size_t> previous;  // where the item before starts, when it may be repeated
    bool repeated = false;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      int least = 0;
      int most = 0;  // -1: no limit
      std::size_t length = 0;
      if (repetition(least, most, length)) {
        if (length == 0) return fail("invalid repeat count");
        if (!previous) return fail("missing argument to repetition operator");
        if (repeated) return fail("invalid nested repetition operator");
        rest_.remove_prefix(length);
        if (!rest_.empty() && rest_.front() == '?')
          rest_.remove_prefix(1);  // the shortest match is a match too
        if (!repeat(*previous, least, most)) return false;
        if (depth == 0) items_.back().second = true;
        repeated = true;
        continue;
      }
      repeated = false;
      if (rest_.starts_with("\\Q")) {
        quoted(previous, depth);
      } else {
        const bool group = rest_.front() == '(';
        previous = program().size();
        if (!item(depth)) return false;
        if (depth == 0) mark_item(*previous, group);
      }
      if (program().size() > max_program) return fail("the expression is too large");
    }
    return true;
  }

  // Whether a repetition stands here; `length` stays 0 when its numbers are bad. A brace that does not make
  // one is a character like others.
  bool repetition(int& least, int& most, std::size_t& length) const {
    const char first = rest_.front();
    if (first == '*' || first == '+' || first == '?') {
      least = first == '+' ? 1 : 0;
      most = first == '?' ? 1 : -1;
      length = 1;
      return true;
    }
    if (first != '{') return false;
    std::size_t at = 1;
    if (!number(at, least)) return false;
    most = least;
    if (at < rest_.size() && rest_[at] == ',') {
      ++at;
      if (at < rest_.size() && rest_[at] == '}') {
        most = -1;
      } else if (!number(at, most)) {
        return false;
      }
    }
    if (at >= rest_.size() || rest_[at] != '}') return false;
    if (least <= max_repeat && most <= max_repeat && (most < 0 || least <= most)) length = at + 1;
    return true;
  }

  bool number(std::size_t& at, int& value) const {
    const std::size_t start = at;
    value = 0;
    while (at < rest_.size() && is_digit(rest_[at])) {
      value = std::min(value * 10 + (rest_[at] - '0'), max_repeat + 1);
      ++at;
    }
    return at > start && !(at - start > 1 && rest_[start] == '0');
  }

  // Makes the item that was emitted from `start` on match from `least` to `most` times.
  bool repeat(std::size_t start, int least, int most) {
    const std::vector<regexp_instruction> once(program().begin() + static_cast<std::ptrdiff_t>(start),
                                               program().end());
    const std::size_t length = once.size();
    const auto copies = static_cast<std::size_t>(std::max(std::max(least, most), 1));
    if (program().size() + copies * (length + 2) > max_program) return fail("the expression is too large");
    const auto append = [&] { program().insert(program().end(), once.begin(), once.end()); };
    program().resize(start);
    for (int i = 0; i < least; ++i) append();
    if (most < 0) {
      program().push_back(split(1, length + 2));
      append();
      regexp_instruction back;
      back.what = kind::jump;
      back.to = -static_cast<std::int32_t>(length + 1);
      program().push_back(back);
    } else if (most > least) {
      // Each optional copy may leave for the end of all of them.
      const auto optional = static_cast<std::size_t>(most - least);
      for (std::size_t left = optional; left > 0; --left) {
        program().push_back(split(1, left * (length + 1)));
        append();
      }
    }
    return true;
  }

  bool item(int depth) {
    const char first = rest_.front();
    switch (first) {
      case '(': {
        if (depth > 0) return fail("groups nest too deep");
        rest_.remove_prefix(1);
        if (!alternatives(depth + 1)) return false;
        if (rest_.empty()) return fail("missing closing )");
        rest_.remove_prefix(1);
        return true;
      }
      case '[': return bracket();
      case '.': emit(kind::any); break;
      case '^': emit(kind::begin); break;
      case '$': emit(kind::end); break;
      case '\\': return escape();
      default: {
        const decoded_rune decoded = decode_rune(rest_);
        emit(kind::rune, decoded.rune);
        rest_.remove_prefix(decoded.length);
        return true;
      }
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool escape() {
    if (rest_.size() < 2) return fail("trailing backslash");
    const char letter = rest_[1];
    switch (letter) {
      case 'A': emit(kind::begin); break;
      case 'z': emit(kind::end); break;
      case 'b':
      case 'B':
        emit(letter == 'b' ? kind::word_boundary : kind::not_word_boundary);
        out_.has_boundaries_ = true;
        break;
      case 'd':
      case 's':
      case 'w': emit_set(*perl_class(letter)); break;
      case 'D':
      case 'S':
      case 'W': emit_set(complement(*perl_class(static_cast<char>(letter - 'A' + 'a')))); break;
      default: {
        char32_t rune = 0;
        if (!escaped_rune(rune)) return false;
        emit(kind::rune, rune);
        return true;
      }
    }
    rest_.remove_prefix(2);
    return true;
  }

  // \Q...\E: each character an item of its own.
  void quoted(std::optional<std::size_t>& previous, int depth) {
    rest_.remove_prefix(2);
    const std::size_t end = rest_.find("\\E");
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
    while (!text.empty()) {
      const decoded_rune decoded = decode_rune(text);
      previous = program().size();
      emit(kind::rune, decoded.rune);
      if (depth == 0) mark_item(*previous, false);
      text.remove_prefix(decoded.length);
    }
  }

  // An escape that stands for one character, in a class or outside.
  bool escaped_rune(char32_t& rune) {
    if (rest_.size() < 2) return fail("trailing backslash");
    const decoded_rune decoded = decode_rune(rest_.substr(1));
    const std::string shown(rest_.substr(0, 1 + decoded.length));
    rest_.remove_prefix(1 + decoded.length);
    const auto bad = [&] { return fail("invalid escape sequence " + shown); };
    rune = decoded.rune;
    if (rune >= 0x80) return bad();
    if (rune >= '0' && rune <= '7') {
      const auto octal = [&] { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '7'; };
      if (rune != '0' && !octal()) return bad();
      rune -= '0';
      for (int i = 0; i < 2 && octal(); ++i) {
        rune = rune * 8 + static_cast<char32_t>(rest_.front() - '0');
        rest_.remove_prefix(1);
      }
      return true;
    }
    switch (static_cast<char>(rune)) {
      case 'a': rune = '\a'; return true;
      case 'f': rune = '\f'; return true;
      case 'n': rune = '\n'; return true;
      case 'r': rune = '\r'; return true;
      case 't': rune = '\t'; return true;
      case 'v': rune = '\v'; return true;
      case 'x': return hexadecimal(rune) || bad();
      case 'p':
      case 'P': return fail("Unicode classes (" + shown + ") are not supported");
    }
    const bool letter_or_digit =
        (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') || (rune >= 'a' && rune <= 'z');
    return letter_or_digit ? bad() : true;
  }

  // What follows \x: two digits, or any number of them in braces.
  bool hexadecimal(char32_t& rune) {
    rune = 0;
    const auto digit = [&]() -> int {
      return rest_.empty() ? -1 : hex_value(static_cast<unsigned char>(rest_.front()));
    };
    const auto take = [&] {
      const int value = digit();
      if (value < 0) return false;
      rune = rune * 16 + static_cast<char32_t>(value);
      rest_.remove_prefix(1);
      return rune <= max_rune;
    };
    if (rest_.empty() || rest_.front() != '{') return take() && take();
    rest_.remove_prefix(1);
    if (!take()) return false;
    while (!rest_.empty() && rest_.front() != '}') {
      if (!take()) return false;
    }
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // [...]: the first ] is a member, so is a - that makes no range.
  bool bracket() {
    rest_.remove_prefix(1);
    const bool negated = !rest_.empty() && rest_.front() == '^';
    if (negated) rest_.remove_prefix(1);
    range_list ranges;
    const auto add = [&](const range_list& more) { ranges.insert(ranges.end(), more.begin(), more.end()); };
    for (bool first = true; rest_.empty() || rest_.front() != ']' || first; first = false) {
      if (rest_.starts_with("[:")) {
        const std::size_t end = rest_.find(":]", 2);
        if (end != std::string_view::npos) {
          std::string_view name = rest_.substr(2, end - 2);
          const bool inverted = name.starts_with("^");
          if (inverted) name.remove_prefix(1);
          const auto* named = std::find_if(std::begin(posix_classes), std::end(posix_classes),
                                           [&](const named_class& known) { return known.name == name; });
          if (named == std::end(posix_classes))
            return fail("invalid character class " + std::string(rest_.substr(0, end + 2)));
          add(inverted ? complement(range_list(named->ranges)) : range_list(named->ranges));
          rest_.remove_prefix(end + 2);
          continue;
        }
      }
      if (rest_.size() >= 2 && rest_.front() == '\\') {
        const char letter = rest_[1];
        const bool upper = letter >= 'A' && letter <= 'Z';
        if (auto perl = perl_class(upper ? static_cast<char>(letter - 'A' + 'a') : letter)) {
          add(upper ? complement(*perl) : *perl);
          rest_.remove_prefix(2);
          continue;
        }
      }
      const std::string_view shown = rest_;
      char32_t low = 0;
      if (!member(low)) return false;
      char32_t high = low;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        rest_.remove_prefix(1);
        if (!member(high)) return false;
        if (high < low)
          return fail("invalid character class range " +
                      std::string(shown.substr(0, shown.size() - rest_.size())));
      }
      ranges.emplace_back(low, high);
    }
    rest_.remove_prefix(1);
    emit_set(negated ? complement(ranges) : std::move(ranges));
    return true;
  }

  bool member(char32_t& rune) {
    if (rest_.empty()) return fail("missing closing ]");
    if (rest_.front() == '\\') return escaped_rune(rune);
    const decoded_rune decoded = decode_rune(rest_);
    rune = decoded.rune;
    rest_.remove_prefix(decoded.length);
    return true;
  }

  // Notes which top-level items are taken exactly once, for literal_ends().
  void mark_item(std::size_t start, bool optional) { items_.emplace_back(start, optional); }

  // The literals with which every match starts and ends, and whether it can start only where the text does.
  void literal_ends() {
    const auto& code = program();
    const auto single = [&](std::size_t index) -> const regexp_instruction* {
      return items_[index].second ? nullptr : &code[items_[index].first];
    };
    const auto is_literal = [&](const regexp_instruction* instruction) {
      // The replacement also matches bytes that are no text.
      return instruction != nullptr && instruction->what == kind::rune &&
             instruction->rune != replacement_rune;
    };
    if (alternatives_at_top_ || items_.empty() || !single(0) || single(0)->what != kind::begin) {
      out_.anchored_ = false;
      return;
    }
    for (std::size_t i = 1; i < items_.size() && is_literal(single(i)); ++i)
      append_rune(out_.prefix_, single(i)->rune);
    if (!single(items_.size() - 1) || single(items_.size() - 1)->what != kind::end) return;
    std::size_t first = items_.size() - 1;
    while (first > 1 && is_literal(single(first - 1))) --first;
    for (std::size_t i = first; i + 1 < items_.size(); ++i) append_rune(out_.suffix_, single(i)->rune);
  }

  std::string_view rest_;
  std::string& reason_;
  regexp out_;
  bool alternatives_at_top_ = false;
  std::vector<std::pair<std::size_t, bool>> items_;  // start, repeated
};

result<regexp> regexp::compile(std::string_view text, std::string& reason) {
  auto compiled = regexp_compiler(text, reason).run();
  if (!compiled) return make_error_code(errc::invalid_pattern);
  return std::move(*compiled);
}

}  // namespace dockline::archive
