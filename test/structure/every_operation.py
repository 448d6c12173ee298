#!/usr/bin/env python3
"""Each public operation is a row of the table that the tests of all operations go over.

    every_operation.py SOURCE-FOLDER
"""

import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
OPERATION = re.compile(r"^auto (async_\w+)\(", re.MULTILINE)
NAMESPACE = re.compile(r"^namespace dockline::(\w+) \{", re.MULTILINE)
ROW = re.compile(r'row\(\s*"(\w+)::(async_\w+)",(.*?)rest\)\.\.\.\)', re.DOTALL)

offered, listed, wrong = set(), [], 0
for header in (source / "lib/include").rglob("*.hpp"):
    text = header.read_text(encoding="utf-8")
    names = set(OPERATION.findall(text))
    if names:
        [namespace] = set(NAMESPACE.findall(text))
        offered |= {f"{namespace}::{name}" for name in names}
for table in (source / "test/exchange").rglob("*_operation*.cpp"):
    for namespace, name, body in ROW.findall(table.read_text(encoding="utf-8")):
        listed.append(f"{namespace}::{name}")
        if f"{namespace}::{name}(" not in body:
            wrong += 1
            print(f"{table.relative_to(source)}: the row of {namespace}::{name} starts another one")
for name in sorted(offered - set(listed)):
    wrong += 1
    print(f"{name} has no row in test/exchange/*_operations.cpp")
for name in sorted(set(listed) - offered) + sorted(name for name in set(listed) if listed.count(name) > 1):
    wrong += 1
    print(f"{name} is listed, but is not public, or twice")
print(f"{len(offered)} operations, {len(listed)} rows, {wrong} complaints")
sys.exit(1 if wrong or not offered else 0)
