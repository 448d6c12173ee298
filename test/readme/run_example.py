#!/usr/bin/env python3
"""What the README shows builds an image, and says why when it cannot: run_example.py PROGRAM

Needs a daemon, at DOCKLINE_TEST_DOCKER_HOST; exits 77 without one.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

host = os.environ.get("DOCKLINE_TEST_DOCKER_HOST")
if not host:
    sys.exit(77)


def run(directory, at=host):
    return subprocess.run([sys.argv[1], directory, "dockline-readme:test"], env={**os.environ, "DOCKER_HOST": at},
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


with tempfile.TemporaryDirectory() as scratch:
    (pathlib.Path(scratch) / "Dockerfile").write_text("FROM scratch\nCOPY hello /\n")
    missing = run(scratch)
    assert missing.returncode == 1 and "COPY hello /" in missing.stderr, missing

    (pathlib.Path(scratch) / "hello").write_text("hello\n")
    built = run(scratch)
    assert built.returncode == 0, built
    assert ": COPY hello /\n" in built.stdout, built
    assert "dockline-readme:test is sha256:" in built.stdout, built

    nobody = run(scratch, "unix:///nowhere/docker.sock")
    assert nobody.returncode == 1 and "/nowhere/docker.sock" in nobody.stderr, nobody
