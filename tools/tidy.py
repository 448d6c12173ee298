#!/usr/bin/env python3
"""Runs clang-tidy over sources, but not again over one that was clean and is what it was, with all that it includes.

    tidy.py FOLDER CLANG_TIDY SOURCE...

FOLDER is built, and has the compile commands; what was clean is remembered there.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

folder, clang_tidy, sources = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3:]
stamps = folder / "tidy"


def dependencies():
    """What each object was made of, as ninja saw it."""
    told = subprocess.run(["ninja", "-C", str(folder), "-t", "deps"], check=True, capture_output=True, text=True).stdout
    made_of, current = {}, None
    for line in told.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif ": #deps " in line:
            current = made_of.setdefault(line.split(": #deps ")[0], [])
    return made_of


@functools.cache
def digest(path):
    try:
        with open(folder / path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return "none"


class Keys:
    """A name for all that clang-tidy sees of a source; none where that is not known."""

    def __init__(self):
        self._made_of = dependencies()
        commands = json.loads((folder / "compile_commands.json").read_text(encoding="utf-8"))
        self._commands = {str((folder / one["file"]).resolve()): one for one in commands}
        program = subprocess.run([clang_tidy, "--version"], check=True, capture_output=True, text=True).stdout
        self._common = program + pathlib.Path(".clang-tidy").read_text(encoding="utf-8")

    def of(self, source):
        command = self._commands.get(os.path.realpath(source))
        if command is None or command["output"] not in self._made_of:
            return None
        # A precompiled header is as old as its build; what counts is what it was made of.
        files = set()
        for path in self._made_of[command["output"]]:
            files.update(self._made_of.get(path, [path]))
        lines = [self._common, command["command"], *(f"{path} {digest(path)}" for path in sorted(files))]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def look_at(source, key):
    stamp = stamps / key if key else None
    if stamp and stamp.exists():
        return True, ""
    done = subprocess.run([*shlex.split(clang_tidy), "--quiet", "-p", str(folder), source], capture_output=True, text=True)
    if stamp and done.returncode == 0:
        stamp.touch()
    return done.returncode == 0, done.stdout + done.stderr


def main():
    stamps.mkdir(exist_ok=True)
    keys = Keys()
    clean = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for fine, said in workers.map(look_at, sources, map(keys.of, sources)):
            clean = clean and fine
            if not fine:
                print(said, end="", flush=True)
    return 0 if clean else 1


sys.exit(main())
