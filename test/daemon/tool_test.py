#!/usr/bin/env python3
"""The command from outside, against the engine at DOCKLINE_TEST_DOCKER_HOST; exits with 77 where there is none.

    tool_test.py DOCKLINE PROBE [NAME...]
"""

import subprocess
import sys
import time

# Nothing is written into the sources.
sys.dont_write_bytecode = True

import tool_build_cases
import tool_buildkit_cases
import tool_cloud_cases
import tool_configuration_cases
import tool_containerize_cases
import tool_containerize_cloud_cases
import tool_image_cases
import tool_run_cases
import tool_usage_cases
from tool_support import HOST, Failed, ask, remove_all

SUBJECTS = [tool_usage_cases, tool_configuration_cases, tool_build_cases, tool_buildkit_cases, tool_cloud_cases, tool_image_cases, tool_run_cases,
            tool_containerize_cases, tool_containerize_cloud_cases]


def main():
    if not HOST.startswith("unix://"):
        print("skipped: DOCKLINE_TEST_DOCKER_HOST is not set (unix:///path of a daemon)")
        return 77
    try:
        ask("GET", "/_ping")
    except OSError as problem:
        print(f"skipped: {HOST}: {problem}")
        return 77
    failures = 0
    chosen = sys.argv[3:]
    cases = [(title, case) for subject in SUBJECTS for title, case in sorted(vars(subject).items())
             if title.startswith("case_")]
    try:
        for title, case in cases:
            if chosen and title[5:] not in chosen:
                continue
            began = time.monotonic()
            words = title[5:].replace("_", " ")
            try:
                reason = case()
                print(f"ok      {words} ({time.monotonic() - began:.1f} s)" + (f": skipped, {reason}" if reason else ""))
            except (Failed, OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as problem:
                failures += 1
                print(f"FAILED  {words}: {type(problem).__name__}: {problem}")
            sys.stdout.flush()
    finally:
        remove_all()
    return 1 if failures else 0


sys.exit(main())
