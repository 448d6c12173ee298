#!/usr/bin/env python3
"""What it costs to include public headers of dockline: processor time of the compiler, the least of some runs.

    header_costs.py SOURCE-FOLDER BUILD-FOLDER [HEADER...]

Without names: those that programs begin with. CXX is the compiler, g++ by default.
"""

import os
import pathlib
import subprocess
import sys

RUNS = 5

source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
headers = sys.argv[3:] or ["dockline/dockline.hpp", "dockline/engine/build.hpp", "dockline/buildkit/build.hpp",
                           "dockline/gcp/build.hpp", "dockline/core/async.hpp"]
command = [os.environ.get("CXX", "g++"), "-std=c++20", "-fsyntax-only", "-x", "c++", "-",
           f"-I{source / 'lib/include'}", f"-I{build / 'lib/include'}"]
for header in headers:
    seconds = []
    for _ in range(RUNS):
        before = os.times().children_user
        subprocess.run(command, input=f"#include <{header}>\n", text=True, check=True)
        seconds.append(os.times().children_user - before)
    print(f"{min(seconds):5.2f} s  {header}")
