#include "containerize/python_version.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline::containerize {
namespace {

using number = std::uint64_t;
constexpr number endless = std::numeric_limits<number>::max();

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

// A part of a local version: numbers come after words.
struct local_part {
  bool numeric = false;
  number value = 0;
  std::string word;

  auto operator<=>(const local_part&) const = default;
};

struct version_key {
  version_key() = default;

  number epoch = 0;
  std::vector<number> release;  // without zeros at its end
  // -1 for a development build of the release itself, 0 a, 1 b, 2 rc, 3 the release; and which one.
  std::pair<int, number> stage{3, 0};
  std::optional<number> post;
  number dev = endless;  // none is after all
  std::vector<local_part> local;

  auto operator<=>(const version_key&) const = default;
};

// Reads [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local] as tolerantly as PEP 440 has it.
class version_reader {
 public:
  explicit version_reader(std::string_view text) : text_(lower_case(text)), rest_(text_) {
    if (rest_.starts_with('v')) rest_.remove_prefix(1);
  }

  std::optional<version_key> run() {
    if (!read_release()) return std::nullopt;
    read_stage();
    read_post();
    if (take_word("dev")) {
      key_.dev = take_number().value_or(0);
      if (key_.stage.first == 3 && !key_.post) key_.stage = {-1, 0};
    }
    if (!rest_.empty() && !read_local()) return std::nullopt;
    return std::move(key_);
  }

 private:
  // Numbers beyond 64 bits are dates at most, and count as the greatest.
  std::optional<number> take_number() {
    number value = 0;
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (code == std::errc::invalid_argument) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return code == std::errc() ? value : endless;
  }

  bool read_release() {
    auto first = take_number();
    if (first && rest_.starts_with('!')) {
      key_.epoch = *first;
      rest_.remove_prefix(1);
      first = take_number();
    }
    if (!first) return false;
    key_.release.push_back(*first);
    while (rest_.size() > 1 && rest_[0] == '.' && is_digit(rest_[1])) {
      rest_.remove_prefix(1);
      key_.release.push_back(take_number().value_or(0));
    }
    while (!key_.release.empty() && key_.release.back() == 0) key_.release.pop_back();
    return true;
  }

  // The word, with or without separators around it, when nothing but a number is part of it.
  bool take_word(std::string_view word) {
    const std::size_t start = !rest_.empty() && is_separator(rest_.front()) ? 1 : 0;
    if (!rest_.substr(start).starts_with(word)) return false;
    std::string_view after = rest_.substr(start + word.size());
    if (!after.empty() && is_letter(after.front())) return false;
    if (after.size() > 1 && is_separator(after[0]) && is_digit(after[1])) after.remove_prefix(1);
    rest_ = after;
    return true;
  }

  void read_stage() {
    constexpr std::array<std::pair<std::string_view, int>, 8> stages = {{
        {"alpha", 0},
        {"a", 0},
        {"beta", 1},
        {"b", 1},
        {"preview", 2},
        {"pre", 2},
        {"rc", 2},
        {"c", 2},
    }};
    for (const auto& [word, stage] : stages) {
      if (!take_word(word)) continue;
      key_.stage = {stage, take_number().value_or(0)};
      return;
    }
  }

  void read_post() {
    if (rest_.size() > 1 && rest_[0] == '-' && is_digit(rest_[1])) {
      rest_.remove_prefix(1);
      key_.post = take_number();
    } else if (take_word("post") || take_word("rev") || take_word("r")) {
      key_.post = take_number().value_or(0);
    }
  }

  bool read_local() {
    // A directory's name has '_' where the version has '-'; between parts they are the same.
    if (!rest_.starts_with('+') || rest_.size() == 1) return false;
    do {
      rest_.remove_prefix(1);
      const auto end = std::ranges::find_if_not(rest_, [](char c) { return is_digit(c) || is_letter(c); });
      const std::string_view part = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
      if (part.empty()) return false;
      local_part one;
      one.numeric = std::ranges::all_of(part, is_digit);
      if (one.numeric) {
        one.value = take_number().value_or(0);
      } else {
        one.word = part;
        rest_.remove_prefix(part.size());
      }
      key_.local.push_back(std::move(one));
    } while (!rest_.empty() && is_separator(rest_.front()));
    return rest_.empty();
  }

  std::string text_;
  std::string_view rest_;
  version_key key_;
};

}  // namespace

std::weak_ordering compare_python_versions(std::string_view one, std::string_view other) {
  const auto left = version_reader(one).run();
  const auto right = version_reader(other).run();
  return left <=> right;
}

}  // namespace dockline::containerize
