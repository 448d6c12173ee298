#!/usr/bin/env python3
"""Writes a C++ source that holds help pages: embed_help.py OUTPUT PAGE.md..."""

import pathlib
import sys

output, *pages = sys.argv[1:]
lines = [
    '#include "help.hpp"',
    "",
    "namespace dockline::tool {",
    "",
    "std::string_view help_page(std::string_view command) {",
]
for page in map(pathlib.Path, pages):
    text = page.read_text(encoding="utf-8").rstrip("\n")
    lines.append(f'  if (command == "{page.stem}") {{')
    lines.append(f'    return R"page({text})page";')
    lines.append("  }")
lines += ["  return {};", "}", "", "}  // namespace dockline::tool", ""]
pathlib.Path(output).write_text("\n".join(lines), encoding="utf-8")
