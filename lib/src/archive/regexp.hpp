#pragma once

// Regular expressions in the syntax of Go's regexp package, as far as an ignore pattern can reach it: the
// docker CLI and BuildKit turn a pattern into such an expression and ask whether it is found in a path.
// Nothing here backtracks: a match costs at most expression × text, and on most texts one table look-up a
// byte.

#include "dockline/core/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dockline::archive {

using rune_range = std::pair<char32_t, char32_t>;  // both ends belong to it

// One instruction of the automaton. Those that consume go on with the next one; `to` and `other` are
// relative.
struct regexp_instruction {
  enum class kind : std::uint8_t {
    rune,               // exactly `rune`
    any,                // everything but a newline
    set,                // one of sets[set]
    split,              // both `to` and `other`
    jump,               // `to`
    begin,              // at the start of the text
    end,                // at its end
    word_boundary,      // \b
    not_word_boundary,  // \B
    match
  };
  kind what = kind::match;
  char32_t rune = 0;  // for set: its index
  std::int32_t to = 1;
  std::int32_t other = 1;
};

class regexp {
 public:
  // Fails with errc::invalid_pattern; `reason` then says what is wrong with it.
  static result<regexp> compile(std::string_view text, std::string& reason);

  // What every text that matches must start and end with. A cheap question before the dear one.
  const std::string& prefix() const noexcept { return prefix_; }
  const std::string& suffix() const noexcept { return suffix_; }

 private:
  friend class regexp_compiler;
  friend class regexp_matcher;

  void classify();

  std::vector<regexp_instruction> program_;
  std::vector<std::vector<rune_range>> sets_;  // each sorted, without overlaps
  std::string prefix_;
  std::string suffix_;
  bool anchored_ = true;         // can match at the start of the text only
  bool has_boundaries_ = false;  // \b or \B occur
  // ASCII characters that no instruction tells apart share a class.
  std::array<std::uint8_t, 128> class_of_{};
  std::size_t classes_ = 1;
};

// Matches one expression, and remembers what it found out about it: states of a deterministic automaton, made
// when they are first reached and thrown away together when they take too much room. For one thread at a
// time.
class regexp_matcher {
 public:
  // The expression outlives the matcher.
  explicit regexp_matcher(const regexp& expression);

  bool matches(std::string_view text);

  // Memory held for the states, and the way to give it back.
  std::size_t bytes() const noexcept { return bytes_; }
  void forget();

 private:
  // What stands before the place that was reached; assertions ask for it.
  enum class before : std::uint8_t { start, word, other };
  struct state {
    std::vector<std::uint32_t> reached;  // instructions, not yet followed through splits and assertions
    before context = before::start;
    std::uint32_t row = 0;  // into next_
  };

  std::uint32_t intern(std::vector<std::uint32_t> reached, before context);
  std::uint32_t step(std::uint32_t from, char32_t rune);
  // Follows splits and assertions; the instructions that consume are left in consuming_. True: it matches.
  bool close(const state& from, bool at_end, bool word_follows);
  bool takes(const regexp_instruction& instruction, char32_t rune) const;

  const regexp* expression_;
  std::vector<state> states_;
  std::vector<std::uint32_t> next_;
  std::unordered_multimap<std::size_t, std::uint32_t> known_;
  std::size_t bytes_ = 0;
  std::size_t generation_ = 0;  // how often the states were thrown away
  // Scratch of close(): a mark per instruction, valid when it equals the current round.
  std::vector<std::uint32_t> marks_;
  std::uint32_t round_ = 0;
  std::vector<std::uint32_t> stack_;
  std::vector<std::uint32_t> consuming_;
};

}  // namespace dockline::archive
