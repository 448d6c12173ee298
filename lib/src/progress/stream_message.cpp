#include "progress/stream_message.hpp"

#include "core/encoding.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dockline::progress {
namespace {

constexpr std::string_view opening = "{\"stream\":\"";
constexpr std::string_view closing = "\"}";

constexpr std::uint64_t every_byte = 0x0101010101010101;
constexpr std::uint64_t high_bits = 0x8080808080808080;

// Not zero when one of the eight bytes is `letter`; and when one is below 0x20.
std::uint64_t equal_to(std::uint64_t block, unsigned char letter) {
  const std::uint64_t difference = block ^ (every_byte * letter);
  return (difference - every_byte) & ~difference & high_bits;
}
std::uint64_t below_space(std::uint64_t block) { return (block - every_byte * 0x20) & ~block & high_bits; }

char simple_escape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

// Reads the four digits at `from`; -1 when they are not, or are half of a surrogate pair.
int code_unit(const char* from) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const char letter = from[i];
    int digit = 0;
    if (letter >= '0' && letter <= '9')
      digit = letter - '0';
    else if ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'f')
      digit = (letter | 0x20) - 'a' + 10;
    else
      return -1;
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

}  // namespace

std::optional<std::string_view> read_stream_message(std::string_view message, std::string& memory) {
  if (message.size() < opening.size() + closing.size() || !message.starts_with(opening) ||
      !message.ends_with(closing))
    return std::nullopt;
  const std::string_view escaped =
      message.substr(opening.size(), message.size() - opening.size() - closing.size());
  // An escape is never shorter than what it stands for.
  if (memory.size() < escaped.size()) memory.resize(escaped.size());
  const char* from = escaped.data();
  const char* const end = from + escaped.size();
  char* to = memory.data();
  std::uint64_t seen = 0;  // to know whether there was anything but ASCII
  while (from != end) {
    std::uint64_t block = 0;
    while (static_cast<std::size_t>(end - from) >= sizeof block) {
      std::memcpy(&block, from, sizeof block);
      if ((equal_to(block, '\\') | equal_to(block, '"') | below_space(block)) != 0) break;
      seen |= block;
      std::memcpy(to, &block, sizeof block);
      from += sizeof block;
      to += sizeof block;
    }
    // Byte by byte to the next escape and over it.
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
      if (const char plain = simple_escape(kind)) {
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
