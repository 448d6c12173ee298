#!/usr/bin/env python3
"""Each public header compiles as the first and only thing that a source includes.

    headers_alone.py SOURCE-FOLDER BUILD-FOLDER
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
includes = source / "lib/include", build / "lib/include"  # the second has what the build makes


def compiler_and_flags():
    """What the build calls for the library's first source, less what only its own sources are given."""
    for row in json.loads((build / "compile_commands.json").read_text()):
        if "/lib/src/" in row["file"] or row["file"].startswith("../lib/src/"):
            words = shlex.split(row["command"])
            break
    if words[0].endswith("ccache"):
        words = words[1:]
    kept = [word for word in words[1:] if word.startswith(("-std=", "-W", "-D", "-fsanitize", "-pthread"))]
    return [words[0], *(word for word in kept if word != "-Winvalid-pch"), *(f"-I{folder}" for folder in includes)]


def compile_alone(name):
    outcome = subprocess.run([*command, "-fsyntax-only", "-x", "c++", "-"], input=f'#include <{name}>\n',
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return name, outcome.returncode, outcome.stdout


command = compiler_and_flags()
headers = sorted(header.relative_to(folder) for folder in includes for header in folder.rglob("*.hpp"))
failed = 0
with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as workers:
    for name, status, text in workers.map(compile_alone, headers):
        if status != 0:
            failed += 1
            print(f"FAILED: {name}\n{text}")
print(f"{len(headers)} headers, {failed} do not compile alone")
sys.exit(1 if failed or not headers else 0)
