#include "containerize/notebook_magics.hpp"

#include "containerize/python_lines.hpp"
#include "core/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace dockline::containerize {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view take_word(std::string_view& text) {
  text = trimmed(text, blanks);
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text = trimmed(text.substr(word.size()), blanks);
  return word;
}

bool is_dotted_name(std::string_view text) {
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    if (!is_python_name(part) || is_python_keyword(part)) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::string joined(std::string_view arguments, std::string_view between) {
  std::string text;
  while (!arguments.empty()) {
    const std::string_view word = take_word(arguments);
    if (!text.empty() && !word.empty()) text += between;
    text += word;
  }
  return text;
}

}  // namespace

bool is_automagic_name(std::string_view word) noexcept {
  // Those of IPython 8 and of its kernel, and the most used of its extensions.
  constexpr std::array<std::string_view, 103> names = {
      "alias",        "alias_magic",
      "autoawait",    "autocall",
      "automagic",    "autoreload",
      "autosave",     "bookmark",
      "cat",          "cd",
      "clear",        "code_wrap",
      "colors",       "conda",
      "config",       "connect_info",
      "cp",           "debug",
      "dhist",        "dirs",
      "doctest_mode", "ed",
      "edit",         "env",
      "gui",          "hist",
      "history",      "killbgscripts",
      "ldir",         "less",
      "lf",           "lk",
      "ll",           "load",
      "load_ext",     "loadpy",
      "logoff",       "logon",
      "logstart",     "logstate",
      "logstop",      "ls",
      "lsmagic",      "lx",
      "macro",        "magic",
      "mamba",        "man",
      "matplotlib",   "micromamba",
      "mkdir",        "more",
      "mv",           "notebook",
      "page",         "pastebin",
      "pdb",          "pdef",
      "pdoc",         "pfile",
      "pinfo",        "pinfo2",
      "pip",          "popd",
      "pprint",       "precision",
      "prun",         "psearch",
      "psource",      "pushd",
      "pwd",          "pycat",
      "pylab",        "qtconsole",
      "quickref",     "recall",
      "rehashx",      "reload_ext",
      "rep",          "rerun",
      "reset",        "reset_selective",
      "rm",           "rmdir",
      "run",          "save",
      "sc",           "set_env",
      "store",        "sx",
      "system",       "tb",
      "tensorboard",  "time",
      "timeit",       "unalias",
      "unload_ext",   "uv",
      "who",          "who_ls",
      "whos",         "xdel",
      "xmode",
  };
  static_assert(std::ranges::is_sorted(names));
  return std::ranges::binary_search(names, word);
}

std::optional<std::string> call_of(std::string_view line) {
  if (line.empty()) return std::nullopt;
  const char how = line.front();
  line.remove_prefix(1);
  if (!line.empty() && blanks.find(line.front()) != blanks.npos) return std::nullopt;
  const std::string_view name = take_word(line);
  if (!is_dotted_name(name)) return std::nullopt;
  std::string call(name);
  if (how == '/') return call + "(" + joined(line, ", ") + ")";
  if (how == ',') return call + "(\"" + joined(line, "\", \"") + "\")";
  if (how == ';') return call + "(\"" + std::string(line) + "\")";
  return std::nullopt;
}

std::size_t python_prompt(std::string_view line, bool first) noexcept {
  if (!line.starts_with(">>>") && (first || !line.starts_with("..."))) return 0;
  if (line.size() == 3) return 3;
  return line[3] == ' ' ? 4 : 0;
}

std::size_t ipython_prompt(std::string_view line) noexcept {
  std::string_view rest = line;
  // What editing modes put before it.
  if (rest.starts_with("[ins] ") || rest.starts_with("[nav] "))
    rest.remove_prefix(6);
  else if (rest.starts_with(" In ["))
    rest.remove_prefix(1);
  if (rest.starts_with("In [")) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 4), rest.size());
    if (end == 4 || !rest.substr(end).starts_with("]: ")) return 0;
    return line.size() - rest.size() + end + 3;
  }
  const std::size_t dots = std::min(line.find_first_not_of(" \t"), line.size());
  const std::size_t colon = std::min(line.find_first_not_of('.', dots), line.size());
  if (colon < dots + 3 || !line.substr(colon).starts_with(':')) return 0;
  return colon + (line.substr(colon).starts_with(": ") ? 2 : 1);
}

}  // namespace dockline::containerize
