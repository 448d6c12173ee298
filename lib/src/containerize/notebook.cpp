#include "containerize/notebook.hpp"

#include "containerize/notebook_cell.hpp"
#include "containerize/refusal.hpp"
#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace dockline::containerize {
namespace {

// How many of the lines that were changed a warning lists, and how much of each.
constexpr std::size_t most_listed = 50;
constexpr std::size_t longest_listed = 60;

std::string shortened(const std::string& line) {
  if (line.size() <= longest_listed) return line;
  std::size_t end = longest_listed;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
  return line.substr(0, end) + "…";
}

// Python reads "\r\n" and "\r" as line ends, in strings as well.
std::string with_plain_line_ends(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\r') {
      plain += text[at];
    } else if (at + 1 == text.size() || text[at + 1] != '\n') {
      plain += '\n';
    }
  }
  return plain;
}

// "Python", "python3" and "ipython" are one language: kernels name it as they like.
bool is_python(std::string_view language) {
  std::string name = lower_case(language);
  if (name.starts_with("ipython")) name.erase(0, 1);
  if (!name.starts_with("python")) return false;
  return name.find_first_not_of("0123456789. ", 6) == name.npos;
}

// A text, or a list of its lines.
std::optional<std::string> text_of(json::value source) {
  if (const auto whole = source.as_string()) return std::string(*whole);
  if (!source.is_array()) return std::nullopt;
  std::string text;
  for (const json::value line : source.elements()) {
    const auto part = line.as_string();
    if (!part) return std::nullopt;
    text += *part;
  }
  return text;
}

// Changes of one kind, as a warning lists them.
class changes {
 public:
  void add(const std::string& what) {
    if (++count_ > most_listed) return;
    listed_ += (listed_.empty() ? "" : "; ") + what;
  }
  bool empty() const { return count_ == 0; }
  std::string text() const {
    if (count_ <= most_listed) return listed_;
    return listed_ + "; and " + std::to_string(count_ - most_listed) + " more";
  }

 private:
  std::size_t count_ = 0;
  std::string listed_;
};

class notebook_reader {
 public:
  notebook_reader(std::string_view name, diagnostics& why) : name_(name), why_(why) {}

  result<notebook_script> run(std::string_view text) {
    json::document parsed;
    if (parsed.parse(without_byte_order_mark(text))) {
      return refuse("entry_point", name_,
                    "is no notebook: not JSON, from byte " + std::to_string(parsed.failed_at()) + " on",
                    why_);
    }
    const json::value root = parsed.root();
    const auto format = root.find("nbformat").as_int();
    if (!format) return refuse("entry_point", name_, "is no notebook: it has no nbformat", why_);
    if (*format != 3 && *format != 4) {
      return refuse("entry_point", name_,
                    "is a notebook of nbformat " + std::to_string(*format) + "; 3 and 4 can be read", why_);
    }
    if (auto sound = check_language(root.find("metadata")); !sound) return sound.error();
    if (auto read = *format == 4 ? read_cells(root, "source") : read_sheets(root); !read) return read.error();
    if (!any_code_) return refuse("entry_point", name_, "is a notebook without code", why_);
    finish_text();
    finish_warnings();
    return std::move(made_);
  }

 private:
  result<void> check_language(json::value metadata) {
    std::string_view language = metadata.find("kernelspec").find("language").string_or_empty();
    if (language.empty()) language = metadata.find("language_info").find("name").string_or_empty();
    if (language.empty() || is_python(language)) return result<void>();
    return refuse("entry_point", name_, "is a notebook in " + std::string(language) + ", not in Python",
                  why_);
  }

  result<void> read_sheets(json::value root) {
    const json::value sheets = root.find("worksheets");
    if (!sheets.is_array()) return refuse("entry_point", name_, "is no notebook: it has no worksheets", why_);
    for (const json::value sheet : sheets.elements()) {
      if (auto read = read_cells(sheet, "input"); !read) return read;
    }
    return result<void>();
  }

  result<void> read_cells(json::value holder, std::string_view source_key) {
    const json::value cells = holder.find("cells");
    if (!cells.is_array()) return refuse("entry_point", name_, "is no notebook: it has no cells", why_);
    for (const json::value cell : cells.elements()) {
      ++number_;
      if (auto read = read_cell(cell, source_key); !read) return read;
    }
    return result<void>();
  }

  result<void> read_cell(json::value cell, std::string_view source_key) {
    const auto type = cell.find("cell_type").as_string();
    if (!type) return refuse_cell("it has no cell_type");
    if (*type != "code") return result<void>();
    const std::string_view language = cell.find("language").string_or_empty();
    if (!language.empty() && !is_python(language)) return refuse_cell("it is not in Python");
    const auto text = text_of(cell.find(source_key));
    if (!text)
      return refuse_cell("its " + std::string(source_key) + " is neither a text nor a list of lines");
    if (text->find('\0') != text->npos) return refuse_cell("it has a NUL, which Python does not read");
    cell_script script = script_of_cell(with_plain_line_ends(*text), before_);
    if (!script.fault.empty()) return refuse_cell(script.fault);
    any_code_ = true;
    if (!made_.text.empty()) made_.text += '\n';
    made_.text += "# %% cell " + std::to_string(number_) + "\n" + script.text;
    for (const changed_line& line : script.changed) warn(line);
    return result<void>();
  }

  errc refuse_cell(const std::string& reason) {
    return refuse("entry_point", name_, "cell " + std::to_string(number_) + ": " + reason, why_);
  }

  void warn(const changed_line& line) {
    const std::string where = "cell " + std::to_string(number_) + ", line " + std::to_string(line.line);
    const std::string what = where + ": \"" + shortened(line.text) + "\"";
    if (line.assigned) {
      made_.warnings.push_back(name_ + ": " + what + " became a comment, so what is on its left is not set");
    } else if (line.became.empty()) {
      commented_.add(what);
    } else {
      rewritten_.add(what + " as \"" + shortened(line.became) + "\"");
    }
  }

  void finish_text() {
    if (!before_.future_imports.empty()) made_.text = before_.future_imports + "\n" + made_.text;
    // Python looks for the encoding in comments of the first two lines, and the second one is a cell's own.
    const std::size_t second = std::min(made_.text.find('\n') + 1, made_.text.size());
    const std::string_view line = std::string_view(made_.text).substr(second);
    if (line.substr(0, line.find('\n')).find("coding") != line.npos)
      made_.text = "# coding: utf-8\n" + made_.text;
  }

  void finish_warnings() {
    if (!rewritten_.empty())
      made_.warnings.insert(made_.warnings.begin(),
                            name_ + ": what only a notebook understands was rewritten: " + rewritten_.text());
    if (!commented_.empty())
      made_.warnings.insert(made_.warnings.begin(),
                            name_ + ": what only a notebook can do became comments: " + commented_.text());
  }

  std::string name_;
  diagnostics& why_;
  int number_ = 0;
  bool any_code_ = false;
  cells_before before_;
  changes commented_;
  changes rewritten_;
  notebook_script made_;
};

}  // namespace

result<notebook_script> script_of_notebook(std::string_view json, std::string_view name, diagnostics& why) {
  return notebook_reader(name, why).run(json);
}

}  // namespace dockline::containerize
