#include "archive/regexp.hpp"

#include "archive/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace dockline::archive {
namespace {

using kind = regexp_instruction::kind;

// Entries of the transition table that are no states.
constexpr std::uint32_t unknown = 0xFFFFFFFF;
constexpr std::uint32_t dead = 0xFFFFFFFE;
constexpr std::uint32_t accepted = 0xFFFFFFFD;

constexpr std::size_t states_limit = 1 << 20;

bool is_word(char32_t rune) noexcept {
  return (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') || (rune >= 'a' && rune <= 'z') ||
         rune == '_';
}

bool contains(const std::vector<rune_range>& set, char32_t rune) noexcept {
  const auto above =
      std::upper_bound(set.begin(), set.end(), rune,
                       [](char32_t value, const rune_range& range) { return value < range.first; });
  return above != set.begin() && rune <= std::prev(above)->second;
}

std::size_t hash_of(const std::vector<std::uint32_t>& reached) noexcept {
  std::size_t hash = 0xCBF29CE484222325u;
  for (const std::uint32_t value : reached) hash = (hash ^ value) * 0x100000001B3u;
  return hash;
}

}  // namespace

// Numbers the classes: a new one starts wherever some instruction begins or ends to accept.
void regexp::classify() {
  std::array<bool, 129> starts{};
  const auto mark = [&](char32_t low, char32_t high) {
    if (low < 128) starts[low] = true;
    if (high < 127) starts[high + 1] = true;
  };
  for (const auto& instruction : program_) {
    if (instruction.what == kind::rune) mark(instruction.rune, instruction.rune);
    if (instruction.what == kind::any) mark('\n', '\n');
  }
  for (const auto& set : sets_) {
    for (const auto& [low, high] : set) mark(low, high);
  }
  if (has_boundaries_) {
    mark('0', '9');
    mark('A', 'Z');
    mark('_', '_');
    mark('a', 'z');
  }
  std::uint8_t current = 0;
  for (std::size_t rune = 0; rune < 128; ++rune) {
    if (rune > 0 && starts[rune]) ++current;
    class_of_[rune] = current;
  }
  classes_ = current + 1u;
}

regexp_matcher::regexp_matcher(const regexp& expression)
    : expression_(&expression), marks_(expression.program_.size(), 0) {}

bool regexp_matcher::matches(std::string_view text) {
  if (!text.starts_with(expression_->prefix_) || !text.ends_with(expression_->suffix_)) return false;
  std::uint32_t at = intern({0}, before::start);
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    std::uint32_t next;
    if (byte < 0x80) {
      const std::size_t cell = states_[at].row + expression_->class_of_[byte];
      next = next_[cell];
      if (next == unknown) {
        const std::size_t generation = generation_;
        next = step(at, byte);
        if (generation == generation_) next_[cell] = next;
      }
      text.remove_prefix(1);
    } else {
      const decoded_rune decoded = decode_rune(text);
      next = step(at, decoded.rune);
      text.remove_prefix(decoded.length);
    }
    if (next == accepted) return true;
    if (next == dead) return false;
    at = next;
  }
  return close(states_[at], true, false);
}

// The states that are equal have one number, so that the table stays small.
std::uint32_t regexp_matcher::intern(std::vector<std::uint32_t> reached, before context) {
  const std::size_t hash = hash_of(reached) * 3 + static_cast<std::size_t>(context);
  const auto [first, last] = known_.equal_range(hash);
  for (auto candidate = first; candidate != last; ++candidate) {
    const state& known = states_[candidate->second];
    if (known.context == context && known.reached == reached) return candidate->second;
  }
  const auto number = static_cast<std::uint32_t>(states_.size());
  state fresh;
  bytes_ += sizeof(state) + 64 + reached.capacity() * sizeof(std::uint32_t) +
            expression_->classes_ * sizeof(std::uint32_t);
  fresh.reached = std::move(reached);
  fresh.context = context;
  fresh.row = static_cast<std::uint32_t>(next_.size());
  states_.push_back(std::move(fresh));
  next_.resize(next_.size() + expression_->classes_, unknown);
  known_.emplace(hash, number);
  return number;
}

std::uint32_t regexp_matcher::step(std::uint32_t from, char32_t rune) {
  const bool word = expression_->has_boundaries_ && is_word(rune);
  if (close(states_[from], false, word)) return accepted;
  std::vector<std::uint32_t> reached;
  for (const std::uint32_t place : consuming_) {
    if (takes(expression_->program_[place], rune)) reached.push_back(place + 1);
  }
  // A match may start anywhere, but not where the expression begins with an anchor.
  if (!expression_->anchored_) reached.push_back(0);
  if (reached.empty()) return dead;
  std::sort(reached.begin(), reached.end());
  reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
  reached.shrink_to_fit();
  if (bytes_ > states_limit) forget();
  return intern(std::move(reached), word ? before::word : before::other);
}

bool regexp_matcher::close(const state& from, bool at_end, bool word_follows) {
  if (++round_ == 0) {
    std::fill(marks_.begin(), marks_.end(), 0);
    round_ = 1;
  }
  consuming_.clear();
  stack_.assign(from.reached.begin(), from.reached.end());
  const bool boundary = (from.context == before::word) != word_follows;
  while (!stack_.empty()) {
    const std::uint32_t place = stack_.back();
    stack_.pop_back();
    if (marks_[place] == round_) continue;
    marks_[place] = round_;
    const regexp_instruction& instruction = expression_->program_[place];
    const auto relative = [&](std::int32_t offset) {
      return static_cast<std::uint32_t>(static_cast<std::int64_t>(place) + offset);
    };
    switch (instruction.what) {
      case kind::rune:
      case kind::any:
      case kind::set: consuming_.push_back(place); break;
      case kind::split:
        stack_.push_back(relative(instruction.other));
        stack_.push_back(relative(instruction.to));
        break;
      case kind::jump: stack_.push_back(relative(instruction.to)); break;
      case kind::begin:
        if (from.context == before::start) stack_.push_back(place + 1);
        break;
      case kind::end:
        if (at_end) stack_.push_back(place + 1);
        break;
      case kind::word_boundary:
        if (boundary) stack_.push_back(place + 1);
        break;
      case kind::not_word_boundary:
        if (!boundary) stack_.push_back(place + 1);
        break;
      case kind::match: return true;
    }
  }
  return false;
}

bool regexp_matcher::takes(const regexp_instruction& instruction, char32_t rune) const {
  if (instruction.what == kind::any) return rune != '\n';
  if (instruction.what == kind::rune) return rune == instruction.rune;
  return contains(expression_->sets_[instruction.rune], rune);
}

void regexp_matcher::forget() {
  states_.clear();
  next_.clear();
  known_.clear();
  bytes_ = 0;
  ++generation_;
}

}  // namespace dockline::archive
