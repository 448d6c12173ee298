#pragma once

#include "dockline/core/error.hpp"

#include "archive/regexp.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dockline::archive {

// One pattern of an ignore file, without its "!". It is matched against a whole path, in one of four ways.
class ignore_pattern {
 public:
  enum class kind : std::uint8_t { exact, prefix, suffix, expression };

  // Checks and compiles a pattern that was cleaned already. Fails with errc::invalid_pattern; `reason` says
  // what is wrong.
  static result<ignore_pattern> compile(std::string text, std::string& reason);

  const std::string& text() const noexcept { return text_; }
  kind how() const noexcept { return how_; }
  // Null unless how() is expression.
  const regexp* expression() const noexcept { return expression_.get(); }

  // For the three plain ways.
  bool matches_plainly(std::string_view path) const noexcept;

  // The expression that the pattern stands for, whether or not the shorter way is taken.
  static std::string expression_of(std::string_view pattern, kind& how);

 private:
  std::string text_;
  kind how_ = kind::exact;
  std::shared_ptr<const regexp> expression_;
};

}  // namespace dockline::archive
