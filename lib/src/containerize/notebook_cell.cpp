#include "containerize/notebook_cell.hpp"

#include "containerize/notebook_magics.hpp"
#include "containerize/python_lines.hpp"
#include "core/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <span>
#include <utility>

namespace dockline::containerize {
namespace {

// How many cell magics one after the other leave the rest of their cell as it is: each looks through it all.
constexpr int most_cell_magics = 8;
constexpr int most_broken = 100;

std::vector<std::string_view> lines_of(std::string_view source) {
  std::vector<std::string_view> lines;
  while (!source.empty()) {
    const std::size_t end = source.find('\n');
    lines.push_back(source.substr(0, end));
    source.remove_prefix(end == source.npos ? source.size() : end + 1);
  }
  return lines;
}

// A form feed is white space, and what is before it counts for nothing.
std::string_view blank_start_of(std::string_view line) {
  return line.substr(0, std::min(line.find_first_not_of(" \t\f"), line.size()));
}

std::string_view indent_of(std::string_view line) {
  const std::string_view start = blank_start_of(line);
  return start.substr(start.rfind('\f') + 1);
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\f\v") == line.npos; }

// As Python counts: a tab leads to the next multiple of eight.
std::size_t width_of(std::string_view indent) {
  std::size_t width = 0;
  for (const char c : indent) width = c == '\t' ? (width / 8 + 1) * 8 : width + 1;
  return width;
}

// The name of the magic of a line that begins with "%" or "%%".
std::string_view magic_name(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of('%'), line.size()));
  return line.substr(0, line.find_first_of(" \t"));
}

// Cell magics that run the rest of their cell as the code it is.
bool keeps_body(std::string_view name) {
  constexpr std::array<std::string_view, 3> kept = {"time", "timeit", "capture"};
  return std::ranges::find(kept, name) != kept.end();
}

// A block that is open: what is in a function differs from what is not.
struct block {
  std::size_t width = 0;
  bool function = false;
};

class cell_reader {
 public:
  cell_reader(std::string_view source, cells_before& before) : before_(before) {
    lines_ = lines_of(without_byte_order_mark(source));
  }

  cell_script run() {
    for (int magics = 0;; ++magics) {
      open_part();
      if (at_ == lines_.size() || !lines_[at_].starts_with("%%") || asks_help(lines_[at_])) break;
      if (!read_cell_magic(magics < most_cell_magics)) break;
    }
    while (at_ < lines_.size() && made_.fault.empty()) read_next();
    return std::move(made_);
  }

 private:
  // A cell, or the rest of one behind a magic that keeps it. As IPython does: what all of it is indented by
  // counts for nothing, nor do prompts.
  void open_part() {
    for (; at_ < lines_.size() && is_blank(lines_[at_]); ++at_) emit("");
    single_ = at_ + 1 == lines_.size();
    if (at_ == lines_.size()) return;
    lines_[at_].remove_prefix(blank_start_of(lines_[at_]).size() - indent_of(lines_[at_]).size());
    const std::string_view indent = indent_of(lines_[at_]);
    const auto rest = std::span(lines_).subspan(at_);
    for (auto& line : rest) {
      if (line.starts_with(indent)) {
        line.remove_prefix(indent.size());
      } else if (const std::string_view own = indent_of(line); own.starts_with(indent)) {
        // Behind a form feed it is a line of its own.
        const std::size_t start = blank_start_of(line).size() - own.size();
        line = with_start(line.substr(0, start), line.substr(start + indent.size()));
      }
    }
    const bool second = rest.size() > 1;
    if (python_prompt(rest[0], true) > 0 || (second && python_prompt(rest[1], false) > 0))
      strip_prompts(rest, [](std::string_view line) { return python_prompt(line, false); });
    if (ipython_prompt(rest[0]) > 0 || (second && ipython_prompt(rest[1]) > 0))
      strip_prompts(rest, ipython_prompt);
  }

  template <class Prompt>
  void strip_prompts(std::span<std::string_view> lines, Prompt prompt_of) {
    bool noted = false;
    for (auto& line : lines) {
      const std::size_t prompt = prompt_of(line);
      if (prompt == 0) continue;
      if (!std::exchange(noted, true))
        note(static_cast<std::size_t>(&line - lines_.data()), line, line.substr(prompt));
      line.remove_prefix(prompt);
    }
  }

  // "%%magic?"
  static bool asks_help(std::string_view line) {
    const std::string_view name = magic_name(line);
    const std::size_t mark = name.find('?');
    return mark != name.npos && is_python_name(name.substr(0, mark));
  }

  // Whether the rest is a part of its own; else all of it became comments.
  bool read_cell_magic(bool may_stay) {
    const std::string_view line = lines_[at_];
    const bool body_stays = may_stay && keeps_body(magic_name(line));
    note(at_, line, {});
    if (!body_stays) {
      while (at_ < lines_.size()) emit("# ", lines_[at_++]);
      return false;
    }
    emit("# ", lines_[at_++]);
    return true;
  }

  void read_next() {
    if (const std::size_t prompt = python_prompt(trimmed_start(lines_[at_]), true))
      return strip_stray_prompts(prompt);
    const auto rest = std::span(std::as_const(lines_)).subspan(at_);
    const python_statement read = read_statement(rest);
    const std::string_view line = lines_[at_];
    if (!read.first && read.fault.empty()) return keep(read.size);
    // "..." is a value, but no name follows one.
    if (read.disjointed && trimmed_start(line).starts_with("... ")) return strip_stray_prompts(4);
    if (read.escaped) return read_command(read);
    if (read.command) return comment_out(read.size, true);
    // A statement that is not whole was looked for in all of the cell; that is not done without end.
    if (is_automagic(read, line, single_) && (read.fault.empty() || ++broken_commands_ < most_broken))
      return comment_out(read.fault.empty() ? read.size : 1);
    if (read.fault.empty() && read.asks_help) return comment_out(read.size);
    if (!read.fault.empty()) return fail(read.fault_line, read.fault);
    read_code(read);
  }

  // Further down in a cell than IPython looks for them.
  void strip_stray_prompts(std::size_t prompt) {
    const std::string_view line = lines_[at_];
    const std::size_t start = line.size() - trimmed_start(line).size();
    note(at_, line.substr(start), line.substr(start + prompt));
    for (std::size_t at = at_; prompt > 0; ++at) {
      std::string_view code = lines_[at].substr(start + prompt);
      while (const std::size_t again = python_prompt(code, true)) code.remove_prefix(again);
      lines_[at] = with_start(line.substr(0, start), code);
      if (at + 1 == lines_.size() || !lines_[at + 1].starts_with(line.substr(0, start))) return;
      prompt = python_prompt(lines_[at + 1].substr(start), false);
    }
  }

  // %magic, !command, ?name, /call
  void read_command(const python_statement& read) {
    const std::string command = command_text(read.size, *read.first);
    if (const auto call = call_of(command)) {
      const std::string_view text = *call;
      const python_statement made = read_statement(std::span(&text, 1));
      if (made.fault.empty() && !made.disjointed) return replace(read.size, text);
    }
    comment_out(read.size);
  }

  // A command without its '%': the whole of a cell that has one line, or what is no Python.
  bool is_automagic(const python_statement& read, std::string_view line, bool single) const {
    if (!is_automagic_name(read.word) || read.first->line > 0) return false;
    std::string_view rest = line.substr(read.first->column + read.word.size());
    const bool apart = rest.starts_with(' ') || rest.starts_with('\t');
    rest = trimmed(rest, " \t\f");
    if (!rest.empty() && std::string_view("=,(.[:").find(rest.front()) != std::string_view::npos) {
      // These follow names, but for "cd ../x", and "cd (x" where that is all of the cell.
      const bool folder = rest.front() == '.' && read.disjointed;
      const bool broken = rest.front() == '(' && single && !read.fault.empty();
      if (!apart || (!folder && !broken)) return false;
    }
    if (rest.size() > 1 && rest[1] == '=') return false;
    if (apart && (read.disjointed || !read.fault.empty())) return true;
    if (before_.names.contains(read.word)) return false;
    if (single) return true;
    // "ls -l" and "cd /x" are differences and quotients of names that are not there.
    constexpr std::string_view starts = "-/~*";
    return apart && rest.size() > 1 && starts.find(rest[0]) != starts.npos && rest[1] != ' ';
  }

  void read_code(const python_statement& read) {
    const std::size_t width = width_of(indent_of(lines_[at_]));
    while (!blocks_.empty() && blocks_.back().width >= width) blocks_.pop_back();
    const bool function =
        read.word == "def" || (read.word == "async" && read.names.size() > 1 && read.names[1] == "def");
    const bool inside = std::ranges::any_of(blocks_, &block::function);
    if (read.awaits && !inside && !function) {
      return fail(*read.awaits,
                  "there is an \"await\" or \"async\" outside a function, which only a notebook can have; "
                  "asyncio.run() is what a script has");
    }
    if (function || read.word == "class") {
      block one;
      one.width = width;
      one.function = function;
      blocks_.push_back(one);
    }
    for (const std::string_view name : read.names) {
      if (is_automagic_name(name)) before_.names.emplace(name);
    }
    // What is of the module already is global there; where a cell before has set it, it may not be said.
    const bool alone = lines_[at_].find(';') == std::string_view::npos;
    if (read.word == "global" && blocks_.empty() && alone) return hide(read.size);
    if (width == 0 && read.names.size() > 1 && read.word == "from" && read.names[1] == "__future__")
      return read_future_import(read);
    before_.any_statement = true;
    keep(read.size);
  }

  void read_future_import(const python_statement& read) {
    if (!before_.any_statement) return keep(read.size);
    if (lines_[at_].find(';') != std::string_view::npos)
      return fail(0, "a script can have this only at its start; on a line of its own it is moved there");
    for (std::size_t i = 0; i < read.size; ++i) before_.future_imports.append(lines_[at_ + i]).append("\n");
    hide(read.size);
  }

  void fail(std::size_t line, const std::string& reason) {
    made_.fault = "line " + std::to_string(at_ + line + 1) + ": " + reason;
  }

  // Its lines as IPython joins them.
  std::string command_text(std::size_t size, python_position start) const {
    std::string text(lines_[at_ + start.line].substr(start.column));
    for (std::size_t i = start.line + 1; i < size; ++i) {
      text.pop_back();
      text.append(" ").append(lines_[at_ + i]);
    }
    return text;
  }

  void keep(std::size_t size) {
    for (; size > 0; --size) emit(lines_[at_++]);
  }

  // Something else instead, which is read in its turn; the lines that follow keep their numbers.
  void replace(std::size_t size, std::string_view text) {
    const std::string_view line = lines_[at_];
    note(at_, trimmed_start(line), text);
    lines_[at_] = with_start(indent_of(line), text);
    for (std::size_t i = 1; i < size; ++i) lines_[at_ + i] = {};
    single_ = false;
  }

  void comment_out(std::size_t size, bool assigned = false) {
    note(at_, trimmed_start(lines_[at_]), {});
    made_.changed.back().assigned = assigned;
    hide(size);
  }

  // A block must not lose its only statement.
  void hide(std::size_t size) {
    const std::string indent(indent_of(lines_[at_]));
    emit(indent + (indent.empty() ? "# " : "pass  # "), trimmed_start(lines_[at_++]));
    for (; size > 1; --size) emit(indent + "# ", lines_[at_++]);
  }

  void note(std::size_t at, std::string_view line, std::string_view became) {
    changed_line what;
    what.line = static_cast<int>(at) + 1;
    what.text = line;
    what.became = became;
    made_.changed.push_back(std::move(what));
  }

  static std::string_view trimmed_start(std::string_view line) {
    return line.substr(blank_start_of(line).size());
  }

  std::string_view with_start(std::string_view start, std::string_view text) {
    return owned_.emplace_back(std::string(start) + std::string(text));
  }

  void emit(std::string_view line) { made_.text.append(line).append("\n"); }
  void emit(std::string_view start, std::string_view line) {
    made_.text.append(start);
    emit(line);
  }

  cells_before& before_;
  std::vector<std::string_view> lines_;
  std::deque<std::string> owned_;  // lines that are not in the source
  std::size_t at_ = 0;
  bool single_ = false;  // whether the part has one line, which IPython takes for a command more readily
  int broken_commands_ = 0;
  std::vector<block> blocks_;
  cell_script made_;
};

}  // namespace

cell_script script_of_cell(std::string_view source, cells_before& before) {
  return cell_reader(source, before).run();
}

}  // namespace dockline::containerize
