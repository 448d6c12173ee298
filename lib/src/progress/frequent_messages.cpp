#include "progress/frequent_messages.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace dockline::progress {
namespace {

constexpr std::size_t block_size = sizeof(std::uint64_t);
constexpr std::uint64_t every_byte = 0x0101010101010101;
constexpr std::uint64_t high_bits = 0x8080808080808080;

// Not zero when one of the eight bytes is `letter`; and when one is below 0x20.
std::uint64_t equal_to(std::uint64_t block, unsigned char letter) {
  const std::uint64_t difference = block ^ (every_byte * letter);
  return (difference - every_byte) & ~difference & high_bits;
}
std::uint64_t below_space(std::uint64_t block) { return (block - every_byte * 0x20) & ~block & high_bits; }

std::uint64_t special_letters(std::uint64_t block) {
  return equal_to(block, '\\') | equal_to(block, '"') | below_space(block);
}

// How many bytes at the start of the block, as it lies in memory, are none of the three. A bit that is set
// where it should not be is always above one that is set rightly.
std::size_t plain_prefix(std::uint64_t block) {
  const std::uint64_t special = special_letters(block);
  if (special == 0) return block_size;
  if constexpr (std::endian::native == std::endian::little)
    return static_cast<std::size_t>(std::countr_zero(special)) / 8;
  else
    return 0;
}

// What a '\\' and the letter stand for; 0 for a letter that is not one of these.
constexpr std::array<char, 256> simple_escapes = [] {
  std::array<char, 256> table{};
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  for (std::size_t i = 0; i < letters.size(); ++i)
    table[static_cast<unsigned char>(letters[i])] = meanings[i];
  return table;
}();

// Reads the four digits at `from`; -1 when they are not, or are half of a surrogate pair.
int code_unit(const char* from) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(from[i]);
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit >= 0xd800 && unit <= 0xdfff ? -1 : unit;
}

char* write_utf8(char* to, int unit) {
  if (unit < 0x80) {
    *to++ = static_cast<char>(unit);
  } else if (unit < 0x800) {
    *to++ = static_cast<char>(0xc0 | unit >> 6);
    *to++ = static_cast<char>(0x80 | (unit & 0x3f));
  } else {
    *to++ = static_cast<char>(0xe0 | unit >> 12);
    *to++ = static_cast<char>(0x80 | (unit >> 6 & 0x3f));
    *to++ = static_cast<char>(0x80 | (unit & 0x3f));
  }
  return to;
}

// With the length known to the compiler, the comparison is a few instructions and no call.
template <std::size_t Size>
bool take(std::string_view& rest, const char (&expected)[Size]) {
  if (rest.size() < Size - 1 || std::memcmp(rest.data(), expected, Size - 1) != 0) return false;
  rest.remove_prefix(Size - 1);
  return true;
}

// How many bytes at the start are ASCII to be printed, but neither a quote nor a backslash.
std::size_t plain_run(std::string_view text) {
  std::size_t run = 0;
  for (std::uint64_t block = 0; text.size() - run >= block_size; run += block_size) {
    std::memcpy(&block, text.data() + run, block_size);
    const std::uint64_t special = special_letters(block) | equal_to(block, 0x7f) | (block & high_bits);
    if (special != 0) break;
  }
  for (; run < text.size(); ++run) {
    const auto letter = static_cast<unsigned char>(text[run]);
    if (letter < 0x20 || letter >= 0x7f || letter == '"' || letter == '\\') break;
  }
  return run;
}

// Takes a string up to and with its closing quote, when there is no escape in it and it is ASCII.
bool take_plain(std::string_view& rest, std::string_view& text) {
  const std::size_t size = plain_run(rest);
  if (size == rest.size() || rest[size] != '"') return false;
  text = rest.substr(0, size);
  rest.remove_prefix(size + 1);
  return true;
}

bool take_number(std::string_view& rest, std::uint64_t& number) {
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (failure != std::errc() || (rest.front() == '0' && end != rest.data() + 1)) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

// Takes the drawn bar, whose only escape is the \u003e of its arrow.
bool take_bar(std::string_view& rest) {
  std::string_view part;
  rest.remove_prefix(plain_run(rest));
  take(rest, "\\u003e");
  return take_plain(rest, part);
}

}  // namespace

std::optional<layer_message> read_layer_message(std::string_view message) {
  layer_message layer;
  if (!take(message, "{\"status\":\"") || !take_plain(message, layer.status) ||
      !take(message, ",\"progressDetail\":{"))
    return std::nullopt;
  if (take(message, "\"current\":") && (!take_number(message, layer.current) ||
                                        (take(message, ",\"total\":") && !take_number(message, layer.total))))
    return std::nullopt;
  if (!take(message, "}") || (take(message, ",\"progress\":\"") && !take_bar(message)) ||
      !take(message, ",\"id\":\"") || !take_plain(message, layer.id) || message != "}")
    return std::nullopt;
  return layer;
}

std::optional<std::string_view> read_stream_message(std::string_view message, std::string& memory) {
  std::string_view escaped = message;
  if (!take(escaped, "{\"stream\":\"") || !escaped.ends_with('}')) return std::nullopt;
  escaped.remove_suffix(1);
  if (!escaped.ends_with('"')) return std::nullopt;
  escaped.remove_suffix(1);
  // An escape is never shorter than what it stands for; whole blocks are written.
  if (memory.size() < escaped.size() + block_size) memory.resize(escaped.size() + block_size);
  const char* from = escaped.data();
  const char* const end = from + escaped.size();
  char* to = memory.data();
  std::uint64_t seen = 0;  // to know whether there was anything but ASCII
  while (from != end) {
    std::uint64_t block = 0;
    bool special = false;
    while (!special && static_cast<std::size_t>(end - from) >= block_size) {
      std::memcpy(&block, from, block_size);
      std::memcpy(to, &block, block_size);
      const std::size_t plain = plain_prefix(block);
      special = plain != block_size;
      seen |= block;
      from += plain;
      to += plain;
    }
    // The end, or an escape.
    while (from != end) {
      const auto letter = static_cast<unsigned char>(*from++);
      if (letter < 0x20 || letter == '"') return std::nullopt;
      if (letter != '\\') {
        seen |= letter;
        *to++ = static_cast<char>(letter);
        continue;
      }
      if (from == end) return std::nullopt;
      const char kind = *from++;
      if (const char plain = simple_escapes[static_cast<unsigned char>(kind)]) {
        *to++ = plain;
        break;
      }
      if (kind != 'u' || end - from < 4) return std::nullopt;
      const int unit = code_unit(from);
      if (unit < 0) return std::nullopt;
      from += 4;
      to = write_utf8(to, unit);
      break;
    }
  }
  if ((seen & high_bits) != 0 && !is_utf8(escaped)) return std::nullopt;
  return std::string_view(memory.data(), static_cast<std::size_t>(to - memory.data()));
}

}  // namespace dockline::progress
