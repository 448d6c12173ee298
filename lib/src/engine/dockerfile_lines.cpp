#include "engine/dockerfile_lines.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <optional>

namespace dockline::engine {
namespace {

constexpr std::string_view blanks = " \t\v\f\r";

std::string_view trimmed(std::string_view text) { return dockline::trimmed(text, blanks); }

std::string upper(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return copy;
}

// Takes the next line off the text, without its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct directive {
  std::string name;
  std::string_view value;
};

// "# escape=`" and the like, which count at the very start only.
std::optional<directive> directive_of(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  const std::size_t equals = line.find('=');
  if (equals == line.npos) return std::nullopt;
  directive found;
  found.name = lower_case(trimmed(line.substr(0, equals)));
  found.value = trimmed(line.substr(equals + 1));
  const bool is_name = !found.name.empty() && std::ranges::all_of(found.name, [](char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-';
  });
  if (!is_name) return std::nullopt;
  return found;
}

// Whether the line goes on in the next one; takes the mark off.
bool continues(std::string_view& line, char escape) {
  const std::string_view text = line.substr(0, line.find_last_not_of(" \t") + 1);
  if (!text.ends_with(escape) || text.ends_with(std::string(2, escape))) return false;
  line = text.substr(0, text.size() - 1);
  return true;
}

struct here_document {
  std::string end;
  bool tabs_go = false;
};

// "<<EOF", "<<-'EOF'", "3<<EOF": the word alone, not a part of one.
std::optional<here_document> here_document_of(std::string_view word, char escape) {
  while (!word.empty() && is_digit(word.front())) word.remove_prefix(1);
  if (!word.starts_with("<<")) return std::nullopt;
  word.remove_prefix(2);
  here_document found;
  found.tabs_go = word.starts_with('-');
  if (found.tabs_go) word.remove_prefix(1);
  if (word.empty() || word.find('<') != word.npos) return std::nullopt;
  for (const char c : word) {
    if (c != '\'' && c != '"' && c != escape) found.end += c;
  }
  if (found.end.empty()) return std::nullopt;
  return found;
}

std::vector<here_document> here_documents_of(const dockerfile_instruction& what, char escape) {
  std::string_view rest = what.rest;
  std::string name = what.name;
  while (name == "ONBUILD") {
    const std::size_t end = std::min(rest.find_first_of(blanks), rest.size());
    name = upper(rest.substr(0, end));
    rest = trimmed(rest.substr(end));
  }
  std::vector<here_document> found;
  if ((name != "RUN" && name != "COPY" && name != "ADD") || rest.find("<<") == rest.npos) return found;
  for (const auto word : dockerfile_words(rest, escape)) {
    if (auto one = here_document_of(word, escape)) found.push_back(std::move(*one));
  }
  return found;
}

void skip(const here_document& document, std::string_view& text, int& lines) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    ++lines;
    if (document.tabs_go) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line == document.end) return;
  }
}

}  // namespace

std::vector<std::string_view> dockerfile_words(std::string_view text, char escape) {
  std::vector<std::string_view> words;
  std::size_t i = 0;
  while ((i = text.find_first_not_of(blanks, i)) != text.npos) {
    const std::size_t start = i;
    char quote = 0;
    for (; i < text.size(); ++i) {
      const char c = text[i];
      if (quote == 0 && blanks.find(c) != blanks.npos) break;
      if (c == escape && quote != '\'') {
        ++i;
      } else if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      }
    }
    i = std::min(i, text.size());
    words.push_back(text.substr(start, i - start));
  }
  return words;
}

dockerfile_lines read_dockerfile(std::string_view text) {
  dockerfile_lines read;
  text = without_byte_order_mark(text);
  for (std::string_view rest = text; !rest.empty();) {
    const auto found = directive_of(take_line(rest));
    if (!found) break;
    if (found->name == "escape" && (found->value == "`" || found->value == "\\"))
      read.escape = found->value.front();
  }
  int lines = 0;  // that were taken
  while (!text.empty()) {
    std::string joined;
    int first = 0;
    for (bool more = true; more && !text.empty();) {
      std::string_view line = take_line(text);
      ++lines;
      // Neither comments nor empty lines end an instruction that goes on.
      const std::string_view content = trimmed(line);
      if (content.starts_with('#') || content.empty()) {
        more = !joined.empty();
        continue;
      }
      if (joined.empty()) {
        first = lines;
        line.remove_prefix(line.find_first_not_of(blanks));
      }
      more = continues(line, read.escape);
      joined += line;
      // An instruction of nothing but marks.
      if (more && joined.empty()) joined = " ";
    }
    const std::string_view whole = trimmed(joined);
    if (whole.empty()) continue;
    const std::size_t end = std::min(whole.find_first_of(blanks), whole.size());
    dockerfile_instruction one;
    one.name = upper(whole.substr(0, end));
    one.rest = trimmed(whole.substr(end));
    for (const auto& document : here_documents_of(one, read.escape)) skip(document, text, lines);
    one.first_line = first;
    one.last_line = lines;
    read.instructions.push_back(std::move(one));
  }
  return read;
}

}  // namespace dockline::engine
