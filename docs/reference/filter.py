#!/usr/bin/env python3
"""Shows a header of ours to Doxygen, which knows the comments of the house only as `///`: filter.py HEADER

A line stays a line, so that a warning names the line of the header. What is done:

- a block of `//` before a declaration is its documentation; the one below `#pragma once` is the file's
- `int size = 0;  // bytes` documents the field, and so do lines below it that hold nothing but the rest of that comment
- a block before a declaration that has such a comment of its own is a heading for those who read the source, and stays one
- paragraphs that begin with `Completion:`, `Signature:` and so on (see PARAGRAPHS) get headings
- the second form of an operation, without diagnostics, is documented as that unless it has words of its own
- left out: the compiled halves (`start_…`), what is written into the namespace boost, bodies of functions, and constructors
  and operators that do what everyone expects: `X() = default;`, copying, moving, destroying
"""

import pathlib
import re
import sys

PARAGRAPHS = ("Completion", "Signature", "Lifetimes", "Cancellation", "Errors", "Source", "Thread safety")
SECOND_FORM = "The same without `diagnostics`: with the default token, a failure is thrown with its words, as " \
              "dockline::error_with_diagnostics."

COMMENT = re.compile(r"^\s*//(?!/)")
HEADING = re.compile(r"^(%s): (.*)$" % "|".join(PARAGRAPHS))
COMPILED_HALF = re.compile(r"^(DOCKLINE_API )?void start_\w+\(")
EXPECTED = re.compile(r"""^\s*(?:constexpr\ |virtual\ )?(?:
    ~?\w+\(\)(?:\ noexcept)?\ =\ (?:default|delete)
  | ~\w+\(\)
  | (?:(\w+)&\ operator=|(\w+))\((?:const\ )?(?:\1|\2)(?:&|&&)\)(?:\ noexcept)?(?:\ =\ (?:default|delete))?
  );$""", re.VERBOSE)


class Scopes:
    """In which kind of braces a line is: `declarations` where documented names are, `body` below a function or a value."""

    def __init__(self):
        self.stack = []  # "declarations", "body" or "foreign": what is in the namespace boost
        self.statement = ""

    def kind(self):
        return next((kind for kind in ("foreign", "body") if kind in self.stack), "declarations")

    def feed(self, code):
        for part in re.split(r"([{};])", re.sub(r'"(\\.|[^"\\])*"|(?<!\w)\'(\\.|[^\'\\])*\'', "0", code) + " "):
            if part == "{":
                self.stack.append(self.opened())
            elif part == "}" and self.stack:
                self.stack.pop()
            if part in ("{", "}", ";"):
                self.statement = ""
            else:
                self.statement += part

    def opened(self):
        if re.match(r"\s*namespace boost\b", self.statement):
            return "foreign"
        declares = re.search(r"\b(namespace|class|struct|enum|union)\b", self.statement) and "(" not in self.statement
        return "declarations" if declares else "body"


def split(line):
    """The code of a line, and the text of the comment behind it or None."""
    for found in re.finditer(r'"(?:\\.|[^"\\])*"|//(?!/)', line):
        if found[0] == "//":
            return line[:found.start()].rstrip(), line[found.end():].strip()
    return line, None


def escaped(text):
    """Text in which nothing is a command or a tag to Doxygen, which takes what stands in quotes or backticks as it is."""
    parts = re.split(r'(`[^`]*`|"(?:\\.|[^"\\])*")', text)
    parts[::2] = (re.sub(r"([\\@<>&#*|]|--)", r"\\\1", part) for part in parts[::2])
    return "".join(parts)


def documentation(text):
    """A line of a block, as the text after `///`."""
    if text.startswith("     "):
        return text  # an example
    heading = HEADING.match(text.strip())
    if not heading:
        return escaped(text)
    rest = heading[2]
    if heading[1] == "Signature":
        rest = re.sub(r"^(void\(.*?\))(?=[.,]|$)", r"`\1`", rest)
    return rf" \par {heading[1]} \ilinebr {escaped(rest)}"


def text_of(line):
    return line.split("//", 1)[1]


def filtered(lines):
    out = []
    block = []  # the numbers of the comment lines right above
    operations = set()
    scopes = Scopes()
    in_file_comment = True  # between #pragma once and the first #include
    dropping = False  # the rest of a declaration that is left out
    trailing = None  # the column of the comment behind the code of the line before

    def make_documentation():
        for number in block:
            indent = lines[number][:lines[number].index("//")]
            out[number] = f"{indent}///{documentation(text_of(lines[number]))}".rstrip()

    for number, line in enumerate(lines):
        out.append(line)
        kind = scopes.kind()
        if kind != "declarations":
            scopes.feed(split(line)[0])
            if kind == "foreign":
                out[-1] = ""
            continue
        if COMMENT.match(line):
            if trailing is not None and line.index("//") == trailing:
                out[-1] = f"{line[:trailing]}///<{escaped(text_of(line))}"
                continue
            trailing = None
            block.append(number)
            continue
        code, comment = split(line)
        if line.startswith("#pragma once"):
            pass
        elif not line.strip():
            if in_file_comment and block:
                make_documentation()
                first = block[0] - 1
                if first >= 0 and not lines[first].strip():
                    out[first] = r"/// \file"
                in_file_comment = False
            block = []
        elif line.startswith("#include"):
            in_file_comment = False
            block = []
        elif dropping or COMPILED_HALF.match(line) or EXPECTED.match(line) and not comment:
            for one in block:
                out[one] = ""
            out[-1] = ""
            dropping = not code.endswith(";")
            block = []
        else:
            in_file_comment = False
            is_operation = re.search(r"\basync_\w+(?=\()", lines[number + 1] if number + 1 < len(lines) else "")
            if comment is not None and re.match(r"(?!#)|#define", line) and not code.strip().startswith("}"):
                out[-1] = f"{code}  ///< {escaped(comment)}"
            elif line.startswith("template") and is_operation:
                name = is_operation[0]
                if block:
                    make_documentation()
                elif name in operations:
                    out[-1] = f"/** {SECOND_FORM} */ {line}"
                operations.add(name)
            elif block:
                make_documentation()
            block = []
        trailing = line.index("//", len(code)) if comment is not None else None
        scopes.feed(code)
        if scopes.kind() == "foreign":
            out[-1] = ""
    return out


if __name__ == "__main__":
    header = pathlib.Path(sys.argv[1])
    print("\n".join(filtered(header.read_text(encoding="utf-8").splitlines())))
