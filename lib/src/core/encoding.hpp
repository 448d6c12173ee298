#pragma once

// How bytes are written in text: base64, hexadecimal, parts of a URL, UTF-8, times.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dockline {

// Whether '=' fills base64 up to a multiple of four. The headers of the Engine API want it, JWTs forbid it.
enum class base64_padding { present, absent };

// RFC 4648 section 4, the alphabet with '+' and '/', padded.
std::string encode_base64(std::string_view bytes);
// RFC 4648 section 5, the alphabet with '-' and '_'.
std::string encode_base64url(std::string_view bytes, base64_padding padding = base64_padding::present);

// The way back. The padding may be left out; empty for a letter of the other alphabet, white space, a length
// that cannot be, or anything after the padding.
std::optional<std::string> decode_base64(std::string_view text);
std::optional<std::string> decode_base64url(std::string_view text);

// Two lower-case digits a byte.
std::string encode_hex(std::string_view bytes);
// Digits of either case; empty for anything else and for an odd number of them.
std::optional<std::string> decode_hex(std::string_view text);

// Exactly as Go's url.QueryEscape: what a value of a query may hold unescaped is A-Z a-z 0-9 - _ . ~, and a
// space becomes '+'.
std::string escape_query(std::string_view text);
// Exactly as Go's url.PathEscape: also $ & + = : @ stay, '/' does not, and a space becomes %20.
std::string escape_path_segment(std::string_view text);

// Whether the bytes are well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes) noexcept;
// The bytes with U+FFFD for each one that is not part of a well-formed character.
std::string to_utf8(std::string_view bytes);

// RFC 3339 in UTC, always with nine digits of the second: "2026-11-23T14:36:35.000000000Z".
std::string format_rfc3339(std::chrono::system_clock::time_point time);
// The way back: with or without a fraction, which is dropped, and an offset. Empty also before 1970 and from 2200 on.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

}  // namespace dockline
