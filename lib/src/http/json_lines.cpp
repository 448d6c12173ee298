#include "http/json_lines.hpp"

#include "core/ascii.hpp"

#include <cstring>

namespace dockline::http {
namespace {

bool is_space(char letter) { return letter == '\n' || letter == '\r' || letter == ' ' || letter == '\t'; }

bool is_of_number(char letter) {
  return is_digit(letter) || letter == '-' || letter == '+' || letter == '.' || letter == 'e' ||
         letter == 'E';
}

}  // namespace

result<std::optional<std::string_view>> json_lines::fail(errc code) {
  failure_ = code;
  return failure_;
}

bool json_lines::start(char first) {
  depth_ = 0;
  switch (first) {
    case '{':
    case '[': state_ = state::nested; return true;
    case '"':
      state_ = state::text;
      // The opening quote is taken here, so that the scan looks for the closing one.
      return true;
    case 't':
      state_ = state::word;
      expected_word_ = "true";
      return true;
    case 'f':
      state_ = state::word;
      expected_word_ = "false";
      return true;
    case 'n':
      state_ = state::word;
      expected_word_ = "null";
      return true;
    default: break;
  }
  if (first != '-' && !is_digit(first)) return false;
  state_ = state::number;
  return true;
}

// To the end of a string, whose opening quote is behind. Whether a quote is escaped is told by the number of
// backslashes before it.
bool json_lines::scan_text(const char*& at, const char* end) {
  while (at != end) {
    if (escaped_) {
      escaped_ = false;
      ++at;
      continue;
    }
    const auto left = static_cast<std::size_t>(end - at);
    const auto* quote = static_cast<const char*>(std::memchr(at, '"', left));
    const char* stop = quote ? quote : end;
    const char* slash = stop;
    while (slash != at && slash[-1] == '\\') --slash;
    const bool odd = (stop - slash) % 2 != 0;
    if (!quote) {
      escaped_ = odd;
      at = end;
      return false;
    }
    at = quote + 1;
    if (!odd) return true;
  }
  return false;
}

bool json_lines::scan_nested(const char*& at, const char* end) {
  while (at != end) {
    if (state_ == state::nested_text) {
      if (!scan_text(at, end)) return false;
      state_ = state::nested;
      continue;
    }
    switch (*at++) {
      case '"': state_ = state::nested_text; break;
      case '{':
      case '[': ++depth_; break;
      case '}':
      case ']':
        if (--depth_ == 0) return true;
        break;
      default: break;
    }
  }
  return false;
}

bool json_lines::scan_word(const char*& at, const char* end) {
  while (at != end && !expected_word_.empty()) {
    if (*at != expected_word_.front()) {
      failure_ = errc::malformed_json;
      return false;
    }
    expected_word_.remove_prefix(1);
    ++at;
  }
  return expected_word_.empty();
}

bool json_lines::scan(const char*& at, const char* end) {
  switch (state_) {
    case state::between: return false;
    case state::nested:
    case state::nested_text: return scan_nested(at, end);
    case state::text: return scan_text(at, end);
    case state::number:
      while (at != end && is_of_number(*at)) ++at;
      return at != end;
    case state::word: return scan_word(at, end);
  }
  return false;
}

result<std::optional<std::string_view>> json_lines::next() {
  if (failure_) return failure_;
  if (yielded_) {
    begun_.clear();
    yielded_ = false;
  }
  const char* at = chunk_.data();
  const char* const end = at + chunk_.size();
  const char* first = at;
  if (state_ == state::between) {
    while (at != end && is_space(*at)) ++at;
    chunk_ = {};
    if (at == end) return std::optional<std::string_view>();
    if (!start(*at)) return fail(errc::malformed_json);
    first = at;
    if (state_ == state::text) ++at;
  }
  const bool complete = scan(at, end);
  if (failure_) return failure_;
  const std::string_view part(first, static_cast<std::size_t>(at - first));
  if (begun_.size() + part.size() > limit_) return fail(errc::message_too_long);
  chunk_ = {at, static_cast<std::size_t>(end - at)};
  if (complete) {
    state_ = state::between;
    if (begun_.empty()) return std::optional(part);
  }
  begun_ += part;
  if (!complete) return std::optional<std::string_view>();
  yielded_ = true;
  return std::optional<std::string_view>(begun_);
}

result<std::optional<std::string_view>> json_lines::finish() {
  if (failure_) return failure_;
  if (state_ == state::between) return std::optional<std::string_view>();
  if (state_ != state::number) return fail(errc::malformed_json);
  state_ = state::between;
  yielded_ = true;
  return std::optional<std::string_view>(begun_);
}

}  // namespace dockline::http
