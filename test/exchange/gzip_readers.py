#!/usr/bin/env python3
"""What the command compresses is read by GNU gzip, pigz and zlib, at each level, and is the tar that it is without.

    gzip_readers.py DOCKLINE

Go's reader, a daemon's, is in the suite `daemon`. A program that is not installed is left out.
"""

import gzip
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

TOOL = os.path.abspath(sys.argv[1])


def make_tree(folder):
    """Of several blocks of the compressor: words, noise, zeros, and an end that is no block's."""
    numbers = random.Random(1)
    words = [f"line {numbers.randrange(4000)} of a log\n" for _ in range(100_000)]
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (folder / "words").write_text("".join(words))
    (folder / "noise").write_bytes(numbers.randbytes(1_300_001))
    (folder / "zeros").write_bytes(bytes(2_000_000))
    (folder / "empty").touch()


def packed(folder, *how):
    return subprocess.run([TOOL, "context", "--format", "tar", *how, str(folder)], check=True, capture_output=True).stdout


def main():
    readers = [[program, "-dc"] for program in ("gzip", "pigz") if shutil.which(program)]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="dockline-") as scratch:
        trees = {name: pathlib.Path(scratch, name) for name in ("full", "small")}
        for tree in trees.values():
            tree.mkdir()
        make_tree(trees["full"])
        (trees["small"] / "Dockerfile").write_text("FROM scratch\n")
        for name, tree in trees.items():
            plain = packed(tree)
            for level in range(1, 10):
                squeezed = packed(tree, "--compression", "gzip", "--compression-level", str(level))
                outcomes = {"zlib": gzip.decompress(squeezed)}
                for reader in readers:
                    outcomes[reader[0]] = subprocess.run(reader, input=squeezed, check=True, capture_output=True).stdout
                for reader, text in outcomes.items():
                    if text != plain:
                        failed += 1
                        print(f"FAILED  {name}, level {level}: {reader} reads something else")
                if len(squeezed) >= len(plain):
                    failed += 1
                    print(f"FAILED  {name}, level {level}: {len(squeezed)} of {len(plain)} bytes")
    print(f"9 levels, {', '.join(['zlib'] + [reader[0] for reader in readers])}: {failed} failed")
    return 1 if failed else 0


sys.exit(main())
