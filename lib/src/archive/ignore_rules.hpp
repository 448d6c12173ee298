#pragma once

// The rules of an ignore file, in the dialect of the docker CLI and BuildKit: one pattern a line, over the
// whole path, the last one that matches wins, "!" brings back.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "archive/ignore_pattern.hpp"
#include "archive/regexp.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::archive {

struct ignore_rule {
  std::string written;  // the line without its surrounding space
  int line = 0;         // counted from 1
  bool exception = false;
  ignore_pattern pattern;
};

// A line of an ignore file as it is understood: comments and empty lines gone, paths cleaned.
struct ignore_line {
  std::string pattern;  // with its "!"
  std::string written;
  int line = 0;
};

// Reads the lines. Fails with errc::invalid_pattern for a line of 64 KiB and more, as docker does.
result<std::vector<ignore_line>> read_ignore_lines(std::string_view text, const std::string& file,
                                                   diagnostics& why);

// The line that brings this file back, if nothing after it does otherwise. What such a line cannot hold (white
// space at its ends, a line end) is matched as any letter.
std::string exception_for(std::string_view name);

class ignore_rules {
 public:
  // No rules: nothing is ignored.
  ignore_rules() = default;

  // Reads the text of `file`, a name for messages. Fails with errc::invalid_pattern; the message then has the
  // file, the line and the pattern.
  static result<ignore_rules> parse(std::string_view text, const std::string& file, diagnostics& why);

  // The same of patterns that were read and cleaned elsewhere; a `#` starts no comment there.
  static result<ignore_rules> from_patterns(std::span<const std::string> patterns, const std::string& origin,
                                            diagnostics& why);

  std::span<const ignore_rule> rules() const noexcept { return rules_; }
  bool has_exceptions() const noexcept { return has_exceptions_; }

  // Whether an exception may bring back something in an ignored directory: docker's way, by the plain text of
  // the exceptions, and BuildKit's, which enters every directory once an exception has a wildcard.
  bool classic_enters(std::string_view directory) const;
  bool buildkit_enters(std::string_view directory) const;

  // For patterns that name what is wanted: whether one may match something in a directory that none matches.
  // BuildKit's way, as above.
  bool may_match_in(std::string_view directory) const;

 private:
  error_code add(ignore_line line, const std::string& file, diagnostics& why);

  std::vector<ignore_rule> rules_;
  bool has_exceptions_ = false;
  bool has_wild_exceptions_ = false;
  bool has_wild_patterns_ = false;  // apart from the exceptions
};

// Which rules matched a directory, for what lies in it. Empty for the root.
using rule_marks = std::vector<bool>;

// Asks the rules path by path. For one thread at a time; the rules outlive it.
class ignore_matcher {
 public:
  explicit ignore_matcher(const ignore_rules& rules);

  // The rule by which `path` is ignored; null when it is kept. `inherited` are the marks of the directory
  // that holds it: what matched there need not match again, and an exception that was passed over there is
  // not taken up again below. Without a directory's marks the path's own parents are tried. Fills `marks`, if
  // any.
  const ignore_rule* ignored_by(std::string_view path, const rule_marks& inherited, rule_marks* marks);

 private:
  bool matches(std::size_t index, std::string_view path);
  bool matches_or_parent(std::size_t index, std::string_view path);

  const ignore_rules* rules_;
  std::vector<std::unique_ptr<regexp_matcher>> matchers_;  // made when first asked
  std::size_t bytes_ = 0;
};

}  // namespace dockline::archive
