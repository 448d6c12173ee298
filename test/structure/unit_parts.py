#!/usr/bin/env python3
"""Each doctest suite of a program is run by exactly one part.

    unit_parts.py PROGRAM FILTERS...

FILTERS are what the parts give to doctest as -ts.
"""

import fnmatch
import subprocess
import sys


def main():
    program, parts = sys.argv[1], [part.split(",") for part in sys.argv[2:]]
    listed = subprocess.run([program, "-lts"], check=True, capture_output=True, text=True).stdout
    suites = [line for line in listed.splitlines() if line and not line.startswith(("[doctest]", "==="))]
    wrong = 0
    for suite in suites:
        runs = sum(any(fnmatch.fnmatchcase(suite, one) for one in part) for part in parts)
        if runs != 1:
            wrong += 1
            print(f"{suite}: run by {runs} parts")
    for part in parts:
        if not any(fnmatch.fnmatchcase(suite, one) for suite in suites for one in part):
            print(f"{','.join(part)}: no suite yet")
    print(f"{len(suites)} suites, {len(parts)} parts")
    return 1 if wrong or not suites else 0


sys.exit(main())
