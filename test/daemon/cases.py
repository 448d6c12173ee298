"""Runs the functions called case_… and prints a line for each, which tools/tally.py counts."""

import subprocess
import sys
import time


class Failed(Exception):
    """What a case says when something is not as it has to be."""


def check(truth, words):
    if not truth:
        raise Failed(str(words))


PROBLEMS = (Failed, OSError, ValueError, KeyError, IndexError, StopIteration, subprocess.SubprocessError)


def cases_of(names):
    """The cases among the names of a module, by what they are called without case_."""
    return {title[5:]: case for title, case in names.items() if title.startswith("case_")}


def run(cases, *arguments, chosen=()):
    """Runs the cases with the arguments, or those that were chosen. Returns the status of the process."""
    failures = 0
    for title, case in cases.items():
        if chosen and title not in chosen:
            continue
        began = time.monotonic()
        words = title.replace("_", " ")
        try:
            reason = case(*arguments)
            print(f"ok      {words} ({time.monotonic() - began:.1f} s)" + (f": skipped, {reason}" if reason else ""))
        except PROBLEMS as problem:
            failures += 1
            print(f"FAILED  {words}: {type(problem).__name__}: {problem}")
        sys.stdout.flush()
    return 1 if failures else 0
