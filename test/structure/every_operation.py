#!/usr/bin/env python3
"""Each public operation, also each of several that share a name, is a row of the table that the tests of all
operations go over.

    every_operation.py SOURCE-FOLDER [--without FOLDER]... [--tests PROGRAM] [SOURCE...]

--without: a folder of lib/ that is not built. --tests: the built tests, which are asked for the rows they have.
SOURCE: what the tests are compiled from; without one, all that looks like a table.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

parser = argparse.ArgumentParser(usage=__doc__)
parser.add_argument("source", type=pathlib.Path)
parser.add_argument("--without", action="append", default=[])
parser.add_argument("--tests")
parser.add_argument("compiled", nargs="*", type=pathlib.Path)
given = parser.parse_intermixed_args()

COMMENT = re.compile(r"//[^\n]*")
NAMESPACE = re.compile(r"^namespace dockline::(\w+) \{", re.MULTILINE)
# A name and its parameters where it is declared or defined, whatever comes before it; not where it is called.
DECLARED = re.compile(r"([^;{}()]*?)\b(async_\w+)\s*\(")
# What a program implements, or is handed: those have handlers of one type, and no token.
INTERFACES = {"core/byte_source.hpp", "core/stream.hpp", "core/make_stream.hpp"}
ROW = re.compile(r'\brow\(\s*"(\w+)::(async_\w+)",(.*?)rest\)\.\.\.\)', re.DOTALL)

wrong = 0


def complain(words):
    global wrong
    wrong += 1
    print(words)


def up_to_end(text, begin):
    """The text from an opening parenthesis' inside to where it is closed."""
    depth = 1
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin:at]
    return text[begin:]


def parts(text):
    """What the commas part that are in no bracket."""
    found, depth, begin = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([{<") - (letter in ")]}" or (letter == ">" and text[at - 1] != "-"))
        if letter == "," and depth == 0:
            found.append(text[begin:at])
            begin = at + 1
    return [" ".join(one.split()) for one in [*found, text[begin:]] if one.strip()]


def type_of(parameter):
    """`const client& daemon` and `Token&& token = {}`: without the name and what is taken where none is given."""
    return re.sub(r"\s*\b\w+$", "", parameter.split("=")[0].strip())


def offered_by(header):
    """The operations of a header: names, with the types of their parameters but the words and the token."""
    text = COMMENT.sub("", header.read_text(encoding="utf-8"))
    forms = collections.Counter()
    for before, name, begin in ((m[1], m[2], m.end()) for m in DECLARED.finditer(text)):
        before = before.strip()
        if not before or before.endswith(("return", "co_await", ".", "->", "::", ",", "=", "&&", "||", "!")):
            continue
        [namespace] = set(NAMESPACE.findall(text)) or {"core"}
        types = [type_of(one) for one in parts(up_to_end(text, begin))]
        if not types or not re.fullmatch(r"\w*Token\w*&&", types[-1]):
            complain(f"{header}: {namespace}::{name} takes no token")
            continue
        words = types[-2:-1] == ["diagnostics&"]
        signature = (f"{namespace}::{name}", tuple(types[: -2 if words else -1]))
        forms[signature, words] += 1
    signatures = {signature for signature, _ in forms}
    for signature in sorted(signatures):
        if {forms[signature, True], forms[signature, False]} != {1}:
            complain(f"{header}: {signature[0]} has not one form with words and one without")
    return signatures


offered = collections.defaultdict(list)  # by name: how many arguments each takes
include = given.source / "lib/include/dockline"
for header in sorted(include.rglob("*.hpp")):
    inside = header.relative_to(include)
    if str(inside) in INTERFACES or inside.parts[0] in given.without:
        continue
    for name, types in offered_by(header):
        offered[name].append(len(types))

listed = collections.defaultdict(list)
tables = [one for one in given.compiled if re.search(r"_operations?\.cpp$", one.name)]
for table in tables or sorted((given.source / "test/exchange").rglob("*_operation*.cpp")):
    for namespace, name, body in ROW.findall(table.read_text(encoding="utf-8")):
        call = body.rfind(f"return {namespace}::{name}(")
        if call < 0:
            complain(f"{table}: the row of {namespace}::{name} starts another one")
            continue
        arguments = parts(body[body.index("(", call) + 1 :] + "rest)...")
        listed[f"{namespace}::{name}"].append(len(arguments) - 1)

for name in sorted(offered.keys() | listed.keys()):
    if sorted(offered[name]) != sorted(listed[name]):
        complain(f"{name}: the headers have it with {sorted(offered[name])} arguments before the last two, "
                 f"the table of test/exchange/*_operations.cpp with {sorted(listed[name])}")

if given.tests:
    said = subprocess.run([given.tests, "--test-case=all of them are here", "--no-colors"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    run = collections.Counter(re.findall(r"^\s*(\w+::async_\w+)$", said, re.MULTILINE))
    for name in sorted(run.keys() | offered.keys()):
        if run[name] != len(offered[name]):
            complain(f"{name} is public {len(offered[name])} times, and run by the tests {run[name]} times")

total = sum(map(len, offered.values()))
print(f"{total} operations, {sum(map(len, listed.values()))} rows, {wrong} complaints")
sys.exit(1 if wrong or not total else 0)
