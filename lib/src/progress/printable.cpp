#include "dockline/progress/printable.hpp"

#include "core/encoding.hpp"

#include <cstddef>

namespace dockline::progress {
namespace {

constexpr char escape = '\x1b';
constexpr char bell = '\a';

// The size of the escape sequence at the start of `text` (ECMA-48): ESC and a letter, a control sequence with
// its parameters, or a string up to its terminator. One that is cut short goes to the end.
std::size_t sequence_size(std::string_view text) {
  if (text.size() < 2) return text.size();
  switch (text[1]) {
    case '[':
      for (std::size_t i = 2; i < text.size(); ++i) {
        if (text[i] >= '@' && text[i] <= '~') return i + 1;
        // Parameters are ' ' to '?'; anything else shows that this was no control sequence.
        if (text[i] < ' ' || text[i] > '~') return i;
      }
      return text.size();
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
      for (std::size_t i = 2; i < text.size(); ++i) {
        if (text[i] == bell) return i + 1;
        if (text[i] == escape) return i + 1 < text.size() && text[i + 1] == '\\' ? i + 2 : i;
      }
      return text.size();
    default: break;
  }
  // "ESC ( B" and the like: intermediate bytes, then a final one.
  std::size_t i = 1;
  while (i < text.size() && text[i] >= ' ' && text[i] <= '/') ++i;
  if (i < text.size() && text[i] >= '0' && text[i] <= '~') ++i;
  return i;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto letter = static_cast<unsigned char>(text.front());
    std::size_t taken = 1;
    if (letter == escape)
      taken = sequence_size(text);
    else if (letter == '\n')
      shown += ' ';
    else if (letter == '\t' || (letter >= 0x20 && letter != 0x7f))
      shown += text.front();
    text.remove_prefix(taken);
  }
  if (!is_utf8(shown)) shown = to_utf8(shown);
  // U+0080 to U+009F are control characters too: U+009B is what ESC [ stands for.
  for (std::size_t at = 0; (at = shown.find('\xc2', at)) != std::string::npos;) {
    if (at + 1 < shown.size() && static_cast<unsigned char>(shown[at + 1]) < 0xa0)
      shown.erase(at, 2);
    else
      ++at;
  }
  return shown;
}

}  // namespace dockline::progress
