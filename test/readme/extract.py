#!/usr/bin/env python3
"""Writes the program of a page to a file: extract.py PAGE OUTPUT

The program is the page's C++ blocks, one after the other: those that are shown (```cpp) and those that are not (<!-- cpp … -->).
The compiler names their lines by those of the page.
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"^(?:```cpp\n(?P<shown>.*?)^```|<!-- cpp\n(?P<hidden>.*?)^-->)$", re.MULTILINE | re.DOTALL)

page, output = map(pathlib.Path, sys.argv[1:3])
text = page.read_text(encoding="utf-8")
parts = []
for block in BLOCK.finditer(text):
    code = "shown" if block["shown"] is not None else "hidden"
    line = text.count("\n", 0, block.start(code)) + 1
    parts.append(f'#line {line} "{page.name}"\n{block[code]}')
if not parts:
    sys.exit(f"{page} has no C++ block")
output.write_text("".join(parts), encoding="utf-8")
