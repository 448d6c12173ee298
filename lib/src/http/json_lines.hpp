#pragma once

// Cuts a stream of bytes into the JSON values that it is made of, as the Engine API sends them: one after the
// other, with a line end of either kind, other white space or nothing between them, and cut into chunks
// anywhere.

#include "dockline/core/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dockline::http {

// It finds where values end and looks at no byte twice; whether a value is well-formed inside is for the
// parser that reads it. A value that lies in one chunk is not copied.
//
//     lines.feed(chunk);
//     for (;;) {
//       auto value = lines.next();
//       if (!value) fail with value.error();
//       if (!*value) break;  // more bytes are needed
//       use(**value);
//     }
class json_lines {
 public:
  // `limit` is the longest value that is accepted, in bytes.
  explicit json_lines(std::size_t limit = default_limit) : limit_(limit) {}

  static constexpr std::size_t default_limit = std::size_t{16} << 20;

  // Gives the next bytes of the stream. They stay where they are until next() has asked for more.
  void feed(std::string_view chunk) noexcept { chunk_ = chunk; }

  // The next value, valid until the next call; empty when more bytes are needed. Errors, after which there is
  // nothing but the same error: malformed_json for a byte that no value starts with, message_too_long.
  result<std::optional<std::string_view>> next();

  // Says that the stream has ended, once next() has asked for more: gives the number that only the end could
  // complete, if there is one. malformed_json when the stream ended inside a value.
  result<std::optional<std::string_view>> finish();

 private:
  enum class state { between, nested, nested_text, text, number, word };

  // Each reads on from `at` inside the current value; true when the value ends there, with `at` behind it.
  bool scan(const char*& at, const char* end);
  bool scan_nested(const char*& at, const char* end);
  bool scan_text(const char*& at, const char* end);
  bool scan_word(const char*& at, const char* end);
  bool start(char first);
  result<std::optional<std::string_view>> fail(errc code);

  std::size_t limit_;
  std::string_view chunk_;
  std::string begun_;     // the part of the current value that came in earlier chunks
  bool yielded_ = false;  // begun_ is the value that was given last
  state state_ = state::between;
  std::size_t depth_ = 0;           // of open objects and arrays
  bool escaped_ = false;            // the last chunk ended after a '\' inside a string
  std::string_view expected_word_;  // what is still to come of true, false or null
  error_code failure_;
};

}  // namespace dockline::http
