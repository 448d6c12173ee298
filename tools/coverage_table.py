#!/usr/bin/env python3
"""What tools/coverage prints: coverage_table.py TOP SUMMARY TARGETS LEAST

SUMMARY is llvm-cov's, TARGETS are Meson's. Fails where less than LEAST per cent of lib/ are run, where one of its sources is in no
summary, and where the page does not say why a file has unrun lines.
"""

import collections
import json
import pathlib
import re
import sys

# So many of a file need no reason.
FEW = 5


def lines_of(summary, top):
    """Of each file below lib/ how many lines there are, and how many were run."""
    return {pathlib.Path(one["filename"]).relative_to(top / "lib"): one["summary"]["lines"] for one in summary["data"][0]["files"]}


def folder_of(path):
    return path.parts[1] if path.parts[0] == "src" else f"include/{path.parts[2]}" if len(path.parts) > 3 else path.parts[0]


def called(path):
    """As the page calls a file: engine/client, for its header, too."""
    return pathlib.Path(*path.with_suffix("").parts[-2:]).as_posix()


def print_line(title, count, covered):
    share = 100 * covered / max(count, 1)
    print(f"{title:44} {covered:6} of {count:6} lines  {share:5.1f} %")
    return share


def excused(page):
    """The files that the page's table names: `engine/exec`, `images`, where a name without a folder is in that of the one before."""
    names, folder = set(), ""
    for row in re.findall(r"^\| (`[a-z0-9_]+/[a-z0-9_]+`[^|]*) \|", page, re.MULTILINE):
        for name in re.findall(r"`([a-z0-9_/]+)`", row):
            folder = name.partition("/")[0] if "/" in name else folder
            names.add(name if "/" in name else f"{folder}/{name}")
    return names


def main():
    top, least = pathlib.Path(sys.argv[1]), float(sys.argv[4])
    summary, targets = (json.loads(pathlib.Path(name).read_text(encoding="utf-8")) for name in sys.argv[2:4])
    lines = lines_of(summary, top)
    folders = collections.defaultdict(collections.Counter)
    for path, of in lines.items():
        for title in (folder_of(path), "lib"):
            folders[title] += collections.Counter(count=of["count"], covered=of["covered"])
    whole = folders.pop("lib")
    for title, of in sorted(folders.items()):
        print_line(title, of["count"], of["covered"])
    print("\nnot run:")
    unrun = collections.Counter()
    for path, of in sorted(lines.items()):
        left = of["count"] - of["covered"]
        unrun[called(path)] += left
        if left:
            print(f"{str(path):60} {left:4} of {of['count']:5} lines")
    print()
    wrong = 0 if print_line("lib", whole["count"], whole["covered"]) >= least else 1
    compiled = {pathlib.Path(name) for target in targets if target["name"] == "dockline_objects"
                for group in target["target_sources"] for name in group.get("sources", [])}
    for path in sorted(path for path in compiled if path.suffix == ".cpp" and path.relative_to(top / "lib") not in lines):
        wrong = 1
        print(f"FAILED: {path} is compiled, and not counted")
    if not compiled:
        wrong = 1
        print("FAILED: no sources of dockline_objects are known")
    named = excused((top / "docs/coverage.md").read_text(encoding="utf-8"))
    for name, left in sorted(unrun.items()):
        if left > FEW and name not in named:
            wrong = 1
            print(f"FAILED: {name} has {left} lines that are not run, and docs/coverage.md does not say why")
    for name in sorted(named - set(unrun)):
        wrong = 1
        print(f"FAILED: docs/coverage.md names {name}, which is no file of lib/ with lines")
    return wrong


sys.exit(main())
