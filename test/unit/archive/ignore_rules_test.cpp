#include "archive/ignore_rules.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::archive {
namespace {

ignore_rules parsed(std::string_view text) {
  diagnostics why;
  auto rules = ignore_rules::parse(text, "f", why);
  REQUIRE_MESSAGE(rules.has_value(), why.client_message());
  return std::move(*rules);
}

bool ignores(std::string_view text, std::string_view path) {
  const ignore_rules rules = parsed(text);
  return ignore_matcher(rules).ignored_by(path, {}, nullptr) != nullptr;
}

std::string refusal(std::string_view text) {
  diagnostics why;
  const auto rules = ignore_rules::parse(text, "f", why);
  CHECK(rules.has_error());
  if (rules.has_error()) CHECK(rules.error() == errc::invalid_pattern);
  return why.client_message();
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_SUITE("archive/ignore_rules") {
  TEST_CASE("what the dialect inherits from regular expressions") {
    struct {
      const char* pattern;
      const char* path;
      bool ignored;
    } const cases[] = {
        // An expression sees | { } and ^, a plain pattern does not.
        {"q|b?c", "q", true},
        {"q|b?c", "qx", true},
        {"q|b?c", "zb1c", true},
        {"q|b?c", "bc", false},
        {"q|bc", "q", false},
        {"q|bc", "q|bc", true},
        {"a{2}*", "aa", true},
        {"a{2}*", "a", false},
        {"a{2,3}?", "aaax", true},
        {"a{,3}?", "a{,3}x", true},
        {"a{2}", "a{2}", true},
        {"a^b*", "a^b", false},
        {"a^b", "a^b", true},
        // A class may hold a slash, and its ! is a character.
        {"x[^y]z", "x/z", true},
        {"[!a]b", "!b", true},
        {"[!a]b", "ab", true},
        {"[!a]b", "cb", false},
        {"[[:alpha:]]1", "z1", true},
        {"[[:^alpha:]]1", "z1", false},
        // An escape reaches the expression as it is.
        {"\\d*", "7up", true},
        {"\\d*", "d", false},
        {"\\w\\W?", "a-b", true},
        {"\\*x", "*x", true},
        {"\\x41*", "Ab", true},
        {"\\x{e9}*", "\xC3\xA9", true},
        {"\\101*", "Ab", true},
        {"\\Qa|b\\E*", "a|bc", true},
        {"\\Qa.b\\E*", "a\\.bc", true},
        {"\\Qa.b\\E*", "axbc", false},
        {"\\ba?", "ab", true},
        {"\\Ba?", "ab", false},
        {"a\\b?b", "a-b", true},
        {"a\\b?b", "axb", false},
        // ** only stands for whole directories.
        {"a**b", "axb", false},
        {"a**b", "ab", true},
        {"a**b", "ax/b", true},
        {"**/b", "b", true},
        {"**/b", "xb", false},
        {"**b", "xb", true},
        {"a/**", "a", false},
        {"a/**", "a/b/c", true},
        {"x**", "xy/z", true},
        // Bytes that are no text are matched as the character that replaces them.
        {"?x", "\xFFx", true},
        {"[^a]x", "\xFFx", true},
        {"\xEF\xBF\xBDx*", "\xFFx", true},
        {"?", "\xE6\x97\xA5", true},
        {"??", "\xE6\x97\xA5", false},
        {"a?g", "a\xF0\x9F\x98\x80g", true},
        {"a??g", "a\xF0\x9F\x98\x80g", false},
        {"a?g", "a\xF0\x9Fg", false},
        {"a??g", "a\xF0\x9Fg", true},
        {"a????g", "a\xF4\x90\x80\x80g", true},
        {"[\U0001F600-\U0001F64F]x", "\U0001F602x", true},
        {"[\U0001F600-\U0001F64F]x", "\U0001F680x", false},
        {"[^a]x", "\U0010FFFFx", true},
        // Nothing.
        {".", "a", false},
        {"/", "a", false},
        {"..", "a", false},
        // In every directory above.
        {"a?", "ab/c/d", true},
    };
    for (const auto& test : cases) {
      CAPTURE(std::string(test.pattern));
      CAPTURE(std::string(test.path));
      CHECK(ignores(test.pattern, test.path) == test.ignored);
    }
  }

  TEST_CASE("bad patterns are refused with their line") {
    CHECK(refusal("a\n[") == "f line 2: syntax error in pattern: [");
    CHECK(refusal("!\n") == "f line 1: an exception needs a pattern after its \"!\": !");
    CHECK(refusal("# x\n\n  ! \n") == "f line 3: an exception needs a pattern after its \"!\": !");
    CHECK(refusal("[Local-Only]/") ==
          "f line 1: syntax error in pattern: invalid character class range l-O: [Local-Only]/");
    for (const char* pattern :
         {"\\q",          "a\\",      "[]a]",     "[-]",     "[x-]",        "[a-b-c]",    "[z-a]",
          "*{2}",         "a{2}{3}*", "a{1001}*", "a{3,2}*", "?|{2}",       "\\8*",       "\\1*",
          "\\x{110000}*", "\\xg*",    "\\C*",     "\\pL*",   "[[:nope:]]*", "\\\xC3\xA9", "x[\xFF]"}) {
      CAPTURE(std::string(pattern));
      CHECK(refusal(pattern).starts_with("f line 1: syntax error in pattern"));
    }
  }

  TEST_CASE("a line of 64 KiB is refused, one less is read") {
    CHECK(refusal("a\n" + std::string(65536, 'x')) == "f line 2: the line is too long");
    CHECK(ignores(std::string(65535, 'x'), std::string(65535, 'x')));
  }

  TEST_CASE("lines end in any way, space around them is of no matter") {
    const ignore_rules rules = parsed(
        "\xEF\xBB\xBF"
        "a\r\n#b\n #c\n\xC2\xA0 d \xE3\x80\x80\n! /e/../f/ \n");
    std::vector<std::string> texts;
    for (const auto& rule : rules.rules()) texts.push_back((rule.exception ? "!" : "") + rule.pattern.text());
    CHECK(texts == std::vector<std::string>{"a", "#c", "d", "!f"});
    CHECK(rules.rules()[3].line == 5);
    CHECK(rules.rules()[3].written == "! /e/../f/");
    CHECK(rules.has_exceptions());
  }

  TEST_CASE("an exception helps below a directory only if it was weighed there") {
    const ignore_rules rules = parsed("*/b\n!a\n");
    ignore_matcher matcher(rules);
    rule_marks marks;
    CHECK(matcher.ignored_by("a", {}, &marks) == nullptr);
    CHECK(matcher.ignored_by("a/b", marks, nullptr) == &rules.rules()[0]);
    // Alone, the path's parents count as well.
    CHECK(matcher.ignored_by("a/b", {}, nullptr) == nullptr);
  }

  TEST_CASE("which ignored directories are entered") {
    CHECK(parsed("a\n!a/b/c\n").classic_enters("a"));
    CHECK(parsed("a\n!a/b/c\n").classic_enters("a/b"));
    CHECK_FALSE(parsed("a\n!ab\n").classic_enters("a"));
    CHECK_FALSE(parsed("a\n!*/c\n").classic_enters("a"));
    CHECK(parsed("a\n!*/c\n").buildkit_enters("a"));
    CHECK_FALSE(parsed("a\n!b/**\n").buildkit_enters("a"));
    CHECK(parsed("a\n!a/**\n").buildkit_enters("a"));
    CHECK_FALSE(parsed("a\n").buildkit_enters("a"));
  }

  // Each of these takes seconds to hours with a matcher that backtracks, or that is quadratic in the pattern.
  TEST_CASE("hostile patterns cost linear time") {
    const auto start = std::chrono::steady_clock::now();
    const std::string path = repeated("a/", 100) + repeated("a", 200);
    CHECK_FALSE(ignores(repeated("**/", 20000) + "b?", path));
    CHECK(ignores(repeated("**/", 20000) + "a*", path));
    CHECK_FALSE(ignores(repeated("*a", 100) + "b", repeated("a", 250)));
    CHECK_FALSE(ignores(repeated("a*", 30000) + "b", repeated("a", 250)));
    CHECK_FALSE(ignores(repeated("[^/]", 16000) + "?", path));
    CHECK_FALSE(ignores("?" + repeated("a{0,100}", 60) + "b", repeated("a", 4000)));
    CHECK_FALSE(ignores(repeated("x|", 32000) + "?y", path));
    CHECK(refusal(repeated("?{1000}", 9000)).find("too large") != std::string::npos);

    std::string many;
    for (int i = 0; i < 10000; ++i) many += "dir" + std::to_string(i) + "/*/x?z\n";
    const ignore_rules rules = parsed(many);
    ignore_matcher matcher(rules);
    const rule_marks inherited(rules.rules().size(), false);
    for (int i = 0; i < 1000; ++i)
      CHECK(matcher.ignored_by("dir" + std::to_string(i) + "/sub/xyz", inherited, nullptr) ==
            &rules.rules()[static_cast<std::size_t>(i)]);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
  }

  TEST_CASE("what the matcher remembers does not change its answers") {
    // The same questions to one matcher again and again, and to a fresh one each time.
    std::minstd_rand engine(3);
    const auto random = [&] { return static_cast<unsigned>(engine()) >> 8; };
    const char* pieces[] = {"a",    "b",   "/",   "*",   "**", "?",        "[ab]",
                            "[^a]", "a|b", "{2}", "\\b", ".",  "\xC3\xA9", "\\d"};
    const char* steps[] = {"a", "b", "/", "ab", "1", "\xC3\xA9", "\xFF", "-", "."};
    int compared = 0;
    for (int i = 0; i < 2000; ++i) {
      std::string pattern;
      for (unsigned n = 1 + random() % 6; n > 0; --n) pattern += pieces[random() % std::size(pieces)];
      diagnostics why;
      const auto rules = ignore_rules::parse(pattern, "f", why);
      if (!rules) continue;
      ignore_matcher remembering(*rules);
      for (int j = 0; j < 20; ++j) {
        std::string path;
        for (unsigned n = 1 + random() % 6; n > 0; --n) path += steps[random() % std::size(steps)];
        const bool fresh = ignore_matcher(*rules).ignored_by(path, {}, nullptr) != nullptr;
        const bool again = remembering.ignored_by(path, {}, nullptr) != nullptr;
        CHECK_MESSAGE(fresh == again, pattern << " on " << path);
        ++compared;
      }
    }
    CHECK(compared > 10000);
  }
}

}  // namespace dockline::archive
