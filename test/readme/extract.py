#!/usr/bin/env python3
"""Writes the one C++ example of README.md to a file: extract.py README.md OUTPUT"""

import pathlib
import re
import sys

readme, output = map(pathlib.Path, sys.argv[1:3])
blocks = re.findall(r"^```cpp\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
if len(blocks) != 1:
    sys.exit(f"{readme} has {len(blocks)} C++ examples; this test knows how to run one")
output.write_text(blocks[0], encoding="utf-8")
