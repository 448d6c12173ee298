#!/usr/bin/env python3
"""Counts test cases over the logs of `meson test`: those that doctest reports, and one for each script.

    tally.py TESTLOG.json...

Prints a line a test that failed or was skipped, then "PASSED FAILED SKIPPED" as numbers.
"""

import json
import re
import sys

DOCTEST = re.compile(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")


def count(row):
    """How many cases of one test passed, failed and were skipped."""
    if row["result"] == "SKIP":
        return 0, 0, 1
    ended_well = row["result"] in ("OK", "EXPECTEDFAIL")
    summaries = DOCTEST.findall(row.get("stdout", ""))
    passed = sum(int(found[0]) for found in summaries)
    failed = sum(int(found[1]) for found in summaries)
    if not summaries:
        return int(ended_well), int(not ended_well), 0
    # A program that crashed, was too slow or that a sanitizer ended has failed, whatever it counted until then.
    return passed, failed if ended_well or failed else 1, 0


def main():
    total = [0, 0, 0]
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8") as log:
                rows = [json.loads(line) for line in log]
        except OSError:
            rows = []
        if not rows:
            print(f"no test ran: {path} is missing or empty")
            total[1] += 1
        for row in rows:
            numbers = count(row)
            total = [a + b for a, b in zip(total, numbers)]
            if numbers[1] or numbers[2]:
                print(f"{'failed' if numbers[1] else 'skipped'}: {row['name']} ({row['result']})")
    print(*total)


if __name__ == "__main__":
    main()
