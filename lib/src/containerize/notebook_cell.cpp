#include "containerize/notebook_cell.hpp"

#include "containerize/python_lines.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace dockline::containerize {
namespace {

std::vector<std::string_view> lines_of(std::string_view source) {
  std::vector<std::string_view> lines;
  while (!source.empty()) {
    const std::size_t end = source.find('\n');
    lines.push_back(source.substr(0, end));
    source.remove_prefix(end == source.npos ? source.size() : end + 1);
  }
  return lines;
}

std::string_view indent_of(std::string_view line) {
  return line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
}

bool is_blank(std::string_view line) { return indent_of(line).size() == line.size(); }

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Cell magics that run the rest of their cell as the code it is.
bool keeps_body(std::string_view line) {
  constexpr std::array<std::string_view, 3> kept = {"time", "timeit", "capture"};
  line.remove_prefix(2);
  const auto end = std::ranges::find_if_not(line, is_name);
  const std::string_view name = line.substr(0, static_cast<std::size_t>(end - line.begin()));
  return std::ranges::find(kept, name) != kept.end();
}

class cell_reader {
 public:
  explicit cell_reader(std::string_view source) : lines_(lines_of(source)) {
    // As IPython does: what the whole cell is indented by counts for nothing.
    const auto first = std::ranges::find_if_not(lines_, is_blank);
    if (first == lines_.end()) return;
    const std::string_view indent = indent_of(*first);
    for (auto& line : lines_) {
      if (line.starts_with(indent)) line.remove_prefix(indent.size());
    }
  }

  cell_script run() {
    read_cell_magics();
    while (at_ < lines_.size()) read_line();
    if (state_.quote != 0) {
      made_.fault = "a string is not closed";
    } else if (state_.depth != 0) {
      made_.fault = "a bracket is not closed";
    }
    return std::move(made_);
  }

 private:
  void read_cell_magics() {
    for (;;) {
      while (at_ < lines_.size() && is_blank(lines_[at_])) emit(lines_[at_++]);
      if (at_ == lines_.size() || !lines_[at_].starts_with("%%")) return;
      const bool body_stays = keeps_body(lines_[at_]);
      note(lines_[at_], false);
      emit("# ", lines_[at_++]);
      if (body_stays) continue;
      while (at_ < lines_.size()) emit("# ", lines_[at_++]);
      return;
    }
  }

  void read_line() {
    const std::string_view line = lines_[at_];
    const std::string_view indent = indent_of(line);
    const std::string_view code = line.substr(indent.size());
    const python_line read = read_python_line(state_, line);
    if (state_.begins_statement()) {
      const bool magic = code.starts_with('%') || code.starts_with('!') || code.starts_with('?');
      if (magic || read.assigned_magic || (read.asks_help && read.after.begins_statement()))
        return comment_out(indent, code, read.assigned_magic.has_value() && !magic);
    }
    state_ = read.after;
    emit(line);
    ++at_;
  }

  // A block must not lose its only statement.
  void comment_out(std::string_view indent, std::string_view code, bool assigned) {
    note(code, assigned);
    std::string start(indent);
    if (!indent.empty()) start += "pass  ";
    emit(start + "# ", code);
    while (lines_[at_++].ends_with('\\') && at_ < lines_.size())
      emit(std::string(indent) + "# ", lines_[at_]);
  }

  void note(std::string_view line, bool assigned) {
    commented_line what;
    what.line = static_cast<int>(at_) + 1;
    what.text = line;
    what.assigned = assigned;
    made_.commented.push_back(std::move(what));
  }

  void emit(std::string_view line) { made_.text.append(line).append("\n"); }
  void emit(std::string_view start, std::string_view line) {
    made_.text.append(start);
    emit(line);
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  python_state state_;
  cell_script made_;
};

}  // namespace

cell_script script_of_cell(std::string_view source) { return cell_reader(source).run(); }

}  // namespace dockline::containerize
