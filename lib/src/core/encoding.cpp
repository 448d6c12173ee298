#include "core/encoding.hpp"

#include "core/ascii.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace dockline {
namespace {

constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// What a text may say beyond it would not fit the clock, which counts nanoseconds.
constexpr std::int64_t year_2200 = 7'258'118'400;  // seconds since 1970

constexpr std::uint8_t no_digit = 255;

using digit_table = std::array<std::uint8_t, 256>;

constexpr digit_table digits_of(std::string_view alphabet) {
  digit_table table{};
  for (auto& digit : table) digit = no_digit;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}

constexpr digit_table standard_digits = digits_of(standard_alphabet);
constexpr digit_table url_digits = digits_of(url_alphabet);

std::uint32_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

std::string encode_64(std::string_view bytes, std::string_view alphabet, base64_padding padding) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    text += alphabet[group >> 18];
    text += alphabet[group >> 12 & 63];
    text += alphabet[group >> 6 & 63];
    text += alphabet[group & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return text;
  const std::uint32_t group = byte_at(bytes, i) << 16 | (rest == 2 ? byte_at(bytes, i + 1) << 8 : 0);
  text += alphabet[group >> 18];
  text += alphabet[group >> 12 & 63];
  if (rest == 2) text += alphabet[group >> 6 & 63];
  if (padding == base64_padding::present) text.append(3 - rest, '=');
  return text;
}

std::optional<std::string> decode_64(std::string_view text, const digit_table& digits) {
  if (text.size() % 4 == 0 && !text.empty()) {
    if (text.back() == '=') text.remove_suffix(1);
    if (text.back() == '=') text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char letter : text) {
    const std::uint8_t digit = digits[static_cast<unsigned char>(letter)];
    if (digit == no_digit) return std::nullopt;
    group = group << 6 | digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 255);
  }
  return bytes;
}

constexpr std::string_view lower_digits = "0123456789abcdef";
constexpr std::string_view upper_digits = "0123456789ABCDEF";

bool is_unreserved(char letter) {
  return is_letter(letter) || is_digit(letter) || letter == '-' || letter == '_' || letter == '.' ||
         letter == '~';
}

void append_escaped(std::string& text, char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  text += '%';
  text += upper_digits[byte >> 4];
  text += upper_digits[byte & 15];
}

// How many bytes the well-formed character at the start of `bytes` takes; 0 when there is none.
// The bounds of the second byte are those of table 3-7 of the Unicode standard.
std::size_t character_size(std::string_view bytes) {
  const std::uint32_t lead = byte_at(bytes, 0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes.size() < size) return 0;
  const std::uint32_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint32_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte_at(bytes, 1) < low || byte_at(bytes, 1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if ((byte_at(bytes, i) & 0xc0) != 0x80) return 0;
  return size;
}

std::size_t well_formed_prefix(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    // Nearly everything is ASCII: eight bytes at a time.
    std::uint64_t block = 0;
    if (bytes.size() - i >= sizeof block) {
      std::memcpy(&block, bytes.data() + i, sizeof block);
      if ((block & 0x8080808080808080) == 0) {
        i += sizeof block;
        continue;
      }
    }
    const std::size_t size = character_size(bytes.substr(i));
    if (size == 0) break;
    i += size;
  }
  return i;
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  return encode_64(bytes, standard_alphabet, base64_padding::present);
}

std::string encode_base64url(std::string_view bytes, base64_padding padding) {
  return encode_64(bytes, url_alphabet, padding);
}

std::optional<std::string> decode_base64(std::string_view text) { return decode_64(text, standard_digits); }
std::optional<std::string> decode_base64url(std::string_view text) { return decode_64(text, url_digits); }

std::string encode_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text += lower_digits[byte_at(bytes, i) >> 4];
    text += lower_digits[byte_at(bytes, i) & 15];
  }
  return text;
}

std::optional<std::string> decode_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string escape_query(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char letter : text) {
    if (is_unreserved(letter))
      escaped += letter;
    else if (letter == ' ')
      escaped += '+';
    else
      append_escaped(escaped, letter);
  }
  return escaped;
}

std::string escape_path_segment(std::string_view text) {
  constexpr std::string_view allowed = "$&+=:@";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char letter : text) {
    if (is_unreserved(letter) || allowed.find(letter) != std::string_view::npos)
      escaped += letter;
    else
      append_escaped(escaped, letter);
  }
  return escaped;
}

bool is_utf8(std::string_view bytes) noexcept { return well_formed_prefix(bytes) == bytes.size(); }

std::string to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (;;) {
    const std::size_t good = well_formed_prefix(bytes);
    text += bytes.substr(0, good);
    if (good == bytes.size()) return text;
    text += "\xef\xbf\xbd";
    bytes.remove_prefix(good + 1);
  }
}

std::string format_rfc3339(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(duration_cast<nanoseconds>(time - day));
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09lldZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<long long>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  const std::time_t seconds = ::timegm(&parts);
  if (seconds < 0 || seconds > year_2200) return std::nullopt;
  const auto time = std::chrono::system_clock::from_time_t(seconds);
  if (*rest == '.') {
    ++rest;
    while (std::isdigit(static_cast<unsigned char>(*rest)) != 0) ++rest;
  }
  if (std::strcmp(rest, "Z") == 0 || std::strcmp(rest, "z") == 0) return time;
  int hours = 0;
  int minutes = 0;
  const bool offset = (*rest == '+' || *rest == '-') && std::strlen(rest) == 6 && rest[3] == ':' &&
                      std::from_chars(rest + 1, rest + 3, hours).ec == std::errc() &&
                      std::from_chars(rest + 4, rest + 6, minutes).ec == std::errc();
  if (!offset) return std::nullopt;
  const auto shift = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return *rest == '+' ? time - shift : time + shift;
}

}  // namespace dockline
