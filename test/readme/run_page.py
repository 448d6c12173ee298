#!/usr/bin/env python3
"""Runs the program of a page of the guide: run_page.py PROGRAM PAGE PROBE

It is given a directory with a Dockerfile and a static program, `app`. It has to end with 0, and to print the lines that the page
shows in ```text blocks, in their order; … stands for anything. Needs a daemon, at DOCKLINE_TEST_DOCKER_HOST; exits 77 without
one. Docker's configuration has credentials for registry.example, and nothing else.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

host = os.environ.get("DOCKLINE_TEST_DOCKER_HOST")
if not host:
    sys.exit(77)
program, page, probe = sys.argv[1:4]


def shown(text):
    """The lines that the page says are printed: its text blocks, but for those of the index."""
    blocks = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def missing(wanted, printed):
    """The first of the lines that is not among what is left of what was printed, or None."""
    rest = iter(printed)
    for line in wanted:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        if not any(pattern.fullmatch(one) for one in rest):
            return line
    return None


with tempfile.TemporaryDirectory() as scratch:
    tree, configuration = pathlib.Path(scratch, "tree"), pathlib.Path(scratch, "configuration")
    tree.mkdir()
    configuration.mkdir()
    shutil.copy(probe, tree / "app")
    (tree / "Dockerfile").write_text('FROM scratch\nCOPY app /app\nENTRYPOINT ["/app"]\n')
    entry = {"auth": base64.b64encode(b"guide:secret").decode()}
    (configuration / "config.json").write_text(json.dumps({"auths": {"registry.example": entry}}))
    environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_CONFIG": str(configuration)}
    ended = subprocess.run([program, str(tree)], env=environment, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=120)
    print(ended.stdout)
    line = missing(shown(pathlib.Path(page).read_text(encoding="utf-8")), ended.stdout.splitlines())
    if line is not None:
        print(f"FAILED: the page shows this line, and it was not printed, or not there: {line}")
    if ended.returncode != 0:
        print(f"FAILED: status {ended.returncode}")
    sys.exit(1 if line is not None or ended.returncode != 0 else 0)
