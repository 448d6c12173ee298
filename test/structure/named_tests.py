#!/usr/bin/env python3
"""The tests that a page names exist: named_tests.py TEST-FOLDER PAGE...

A page names one as `suite` "case".
"""

import pathlib
import re
import sys

NAMED = re.compile(r'`([a-z0-9_]+/[a-z0-9_/ ]+)`\s+"([^"]+)"')
SUITE_OR_CASE = re.compile(r'TEST_(SUITE|CASE)\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)\)')


def text_of(literals):
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals)).replace('\\"', '"')


existing = set()
for source in pathlib.Path(sys.argv[1]).rglob("*_test.cpp"):
    suite = ""
    for found in SUITE_OR_CASE.finditer(source.read_text(encoding="utf-8")):
        if found[1] == "SUITE":
            suite = text_of(found[2])
        else:
            existing.add((suite, text_of(found[2])))

named = failed = 0
for page in map(pathlib.Path, sys.argv[2:]):
    for suite, case in NAMED.findall(page.read_text(encoding="utf-8")):
        named += 1
        if (suite, case) not in existing:
            failed += 1
            print(f'FAILED: {page.name} names a test that there is not: {suite} "{case}"')
print(f"{named} tests are named, {failed} do not exist")
sys.exit(1 if failed or not named else 0)
