#!/usr/bin/env python3
"""The command from outside, against the engine at DOCKLINE_TEST_DOCKER_HOST; exits with 77 where there is none.

    tool_test.py DOCKLINE PROBE [NAME...]
"""

import sys

# Nothing is written into the sources.
sys.dont_write_bytecode = True

import cases
import tool_build_cases
import tool_buildkit_cases
import tool_cloud_cases
import tool_configuration_cases
import tool_containerize_cases
import tool_containerize_cloud_cases
import tool_image_cases
import tool_run_cases
import tool_usage_cases
from tool_support import remove_all, why_no_engine

SUBJECTS = [tool_usage_cases, tool_configuration_cases, tool_build_cases, tool_buildkit_cases, tool_cloud_cases, tool_image_cases, tool_run_cases,
            tool_containerize_cases, tool_containerize_cloud_cases]


def main():
    if reason := why_no_engine():
        print(f"skipped: {reason}")
        return 77
    all_of_them = {title: case for subject in SUBJECTS for title, case in sorted(cases.cases_of(vars(subject)).items())}
    try:
        return cases.run(all_of_them, chosen=sys.argv[3:])
    finally:
        remove_all()


sys.exit(main())
