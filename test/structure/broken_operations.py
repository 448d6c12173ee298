#!/usr/bin/env python3
"""Each public operation is tried over a line that breaks, or is listed here with the reason why not.

    broken_operations.py SOURCE-FOLDER
"""

import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
OPERATION = re.compile(r"^auto (async_\w+)\(", re.MULTILINE)
NAMESPACE = re.compile(r"^namespace dockline::(\w+) \{", re.MULTILINE)
CALL = re.compile(r"\b(\w+)::(async_\w+)\(")
# Where the lines break, and what those tests share.
TESTS = ("test/daemon/*_faults_test.cpp", "test/daemon/broken_line.cpp", "test/daemon/daemon_helpers.cpp", "test/exchange/gcp/broken_*")

NO_LINE = {
    "archive::async_content_hash": "reads the disk",
    "archive::async_list_context": "reads the disk",
    "engine::async_find_credentials": "reads files and runs programs of this machine",
}

offered, tried, wrong = set(), set(), 0
for header in (source / "lib/include").rglob("*.hpp"):
    text = header.read_text(encoding="utf-8")
    if names := set(OPERATION.findall(text)):
        [namespace] = set(NAMESPACE.findall(text))
        offered |= {f"{namespace}::{name}" for name in names}
for pattern in TESTS:
    for test in source.glob(pattern):
        tried |= {"::".join(call) for call in CALL.findall(test.read_text(encoding="utf-8"))}
for name in sorted(offered - tried - set(NO_LINE)):
    wrong += 1
    print(f"{name} is in no test of lines that break ({', '.join(TESTS)})")
for name in sorted(set(NO_LINE) - offered) + sorted(set(NO_LINE) & tried):
    wrong += 1
    print(f"{name} is an exception that is none")
print(f"{len(offered)} operations, {len(offered & tried)} over lines that break, {wrong} complaints")
sys.exit(1 if wrong or not offered else 0)
