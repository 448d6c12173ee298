#!/usr/bin/env python3
"""Folders stand above what they include, and public headers show nothing of what the library is made of.

    include_arrows.py SOURCE-FOLDER
"""

import pathlib
import re
import sys
import tempfile

# Each folder, lowest first, and what it may include besides itself.
FLOORS = {
    "core": set(),
    "archive": {"core"},
    "http": {"core"},
    "h2": {"core"},
    "progress": {"core"},
    "engine": {"core", "http", "progress"},
    "grpc": {"core", "h2"},
    "gcp": {"core", "http", "progress"},
    "buildkit": {"core", "archive", "http", "progress", "engine", "grpc"},
    "containerize": {"core", "archive", "http", "progress", "engine", "buildkit", "gcp"},
}

# Whole-library headers cost every includer seconds; the rest are the library's own business.
NOT_IN_PUBLIC = re.compile(r"^(boost/asio\.hpp|boost/beast\b|rapidjson/|zlib\.h|zconf\.h|openssl/|nghttp2/|protozero/|isa-l)")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def files_of(top):
    return sorted(path for path in top.rglob("*") if path.suffix in {".hpp", ".cpp"})


def complaints(root):
    """What is wrong in a tree, a line each."""
    public, private = root / "lib/include/dockline", root / "lib/src"

    def is_public(name):  # also one that the build makes from an .in file
        return (public.parent / name).exists() or (public.parent / f"{name}.in").exists()

    for top in (public, private):
        for path in files_of(top):
            where = path.relative_to(root)
            parts = path.relative_to(top).parts
            text = path.read_text(encoding="utf-8")
            # A precompiled header is a main file, where #pragma once is warned of.
            once = path != private / "pch.hpp"
            if path.suffix == ".hpp" and len(re.findall(r"^#pragma once$", text, re.MULTILINE)) != once:
                yield f"{where}: one #pragma once is missing or too many"
            if len(parts) == 1:
                continue  # pch.hpp, and dockline.hpp, which includes every folder
            folder = parts[0]
            if folder not in FLOORS:
                yield f"{where}: {folder} is not a folder of the table"
                continue
            for mark, name in INCLUDE.findall(text):
                target = name.removeprefix("dockline/").split("/")[0]
                if mark == "<":
                    if name.startswith("dockline/"):
                        yield f"{where}: <{name}> is written in quotes inside the library"
                    if top == public and NOT_IN_PUBLIC.match(name):
                        yield f"{where}: a public header includes <{name}>"
                    continue
                if not is_public(name) and not (private / name).exists():
                    yield f"{where}: no such header of ours: \"{name}\""
                elif top == public and not name.startswith("dockline/"):
                    yield f"{where}: a public header includes the private \"{name}\""
                elif target not in {folder, "version.hpp"} | FLOORS[folder]:
                    yield f"{where}: {folder} may not include {target} (\"{name}\")"
    for path in files_of(root / "tools"):
        for mark, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            ours = name.startswith("dockline/") or (root / "tools" / name).exists() or (path.parent / name).exists()
            if mark == '"' and not ours or name.startswith("dockline/") and not is_public(name):
                yield f"{path.relative_to(root)}: a tool includes public headers only, not \"{name}\""


def notices_what_is_wrong():
    """A small tree with one mistake a file: each has to be found."""
    files = {
        "lib/include/dockline/core/a.hpp": '#pragma once\n#include "dockline/http/b.hpp"\n',
        "lib/include/dockline/http/b.hpp": "#pragma once\n#include <boost/asio.hpp>\n",
        "lib/include/dockline/http/c.hpp": '#pragma once\n#include "http/d.hpp"\n',
        "lib/include/dockline/http/e.hpp": "#include <vector>\n",
        "lib/src/http/d.hpp": '#pragma once\n#include "dockline/engine/none.hpp"\n',
        "lib/src/util/f.cpp": "",
        "tools/g.cpp": '#include "http/d.hpp"\n',
        "lib/src/engine/right.cpp": '#include "dockline/http/b.hpp"\n#include "http/d.hpp"\n#include <zlib.h>\n',
    }
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        blamed = [line.split(":")[0] for line in complaints(root)]
    return sorted(blamed) == sorted(name for name in files if "right" not in name)


def main():
    root = pathlib.Path(sys.argv[1])
    if not notices_what_is_wrong():
        sys.exit("this test no longer notices what is wrong")
    found = list(complaints(root))
    for line in found:
        print(line)
    count = len(files_of(root / "lib")) + len(files_of(root / "tools"))
    sys.exit(1 if found or count == 0 else print(f"{count} files, every arrow points down"))


if __name__ == "__main__":
    main()
