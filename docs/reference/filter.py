#!/usr/bin/env python3
"""Shows a header of ours to Doxygen, which knows the comments of the house only as `///`: filter.py HEADER

A line stays a line, so that a warning names the line of the header. What is done:

- a block of `//` before a declaration is its documentation; the one below `#pragma once` is the file's
- `int size = 0;  // bytes` documents the field, and so do lines below it that hold nothing but the rest of that comment
- a block before a declaration that has such a comment of its own is a heading for those who read the source, and stays one
- paragraphs that begin with `Completion:`, `Signature:` and so on (see PARAGRAPHS) get headings
- the name of an operation gets `()`, without which Doxygen makes no link of it
- the second form of an operation, without diagnostics, is documented as that unless it has words of its own
- left out: the compiled halves (`start_…`), what is written into the namespace boost, bodies of functions, and constructors
  and operators that do what everyone expects: `X() = default;`, copying, moving, destroying
"""

import pathlib
import re
import sys

PARAGRAPHS = ("Completion", "Signature", "Lifetimes", "Cancellation", "Errors", "Source", "Example", "Thread safety")
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


def plain(text):
    """Text in which nothing is a command or a tag to Doxygen, and the name of an operation is a link."""
    text = re.sub(r"([\\@<>&#*|]|--)", r"\\\1", text)
    return re.sub(r"\b((?:\w+::)*async_\w+)\b(?!\()", r"\1()", text)


def escaped(text):
    """The same of a text in which something stands in quotes or backticks, which Doxygen takes as it is."""
    parts = re.split(r'(`[^`]*`|"(?:\\.|[^"\\])*")', text)
    parts[::2] = map(plain, parts[::2])
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


class Filter:
    """Goes through the lines of a header and keeps what Doxygen shall see in their places."""

    def __init__(self, lines):
        self.lines = lines
        self.out = []
        self.block = []  # the numbers of the comment lines right above
        self.operations = set()  # of which a first form was seen
        self.scopes = Scopes()
        self.in_file_comment = True  # between #pragma once and the first #include
        self.dropping = False  # the rest of a declaration that is left out
        self.trailing = None  # the column of the comment behind the code of the line before

    def run(self):
        for number, line in enumerate(self.lines):
            self.out.append(line)
            kind = self.scopes.kind()
            if kind == "declarations" and COMMENT.match(line):
                self.comment_line(number, line)
                continue
            code, comment = split(line)
            if kind == "declarations":
                self.line_of_code(number, line, code, comment)
                self.block = []
                self.trailing = line.index("//", len(code)) if comment is not None else None
            self.scopes.feed(code)
            if "foreign" in (kind, self.scopes.kind()):
                self.out[-1] = ""
        return self.out

    def comment_line(self, number, line):
        if self.trailing is not None and line.index("//") == self.trailing:
            self.out[-1] = f"{line[:self.trailing]}///<{escaped(text_of(line))}"
        else:
            self.trailing = None
            self.block.append(number)

    def line_of_code(self, number, line, code, comment):
        if not line.strip():
            if self.in_file_comment and self.block:
                self.document_file()
        elif line.startswith("#include"):
            self.in_file_comment = False
        elif self.dropping or COMPILED_HALF.match(line) or EXPECTED.match(line) and not comment:
            for one in [*self.block, number]:
                self.out[one] = ""
            self.dropping = not code.endswith(";")
        elif not line.startswith("#pragma"):
            self.in_file_comment = False
            self.declaration(number, line, code, comment)

    def declaration(self, number, line, code, comment):
        following = self.lines[number + 1] if number + 1 < len(self.lines) else ""
        operation = re.search(r"\basync_\w+(?=\()", following) if line.startswith("template") else None
        if comment is not None and re.match(r"(?!#)|#define", line) and not code.strip().startswith("}"):
            self.out[-1] = f"{code}  ///< {escaped(comment)}"
        elif self.block:
            self.document_block()
        elif operation and operation[0] in self.operations:
            self.out[-1] = f"/** {SECOND_FORM} */ {line}"
        if operation:
            self.operations.add(operation[0])

    def document_file(self):
        self.document_block()
        above = self.block[0] - 1
        if above >= 0 and not self.lines[above].strip():
            self.out[above] = r"/// \file"
        self.in_file_comment = False

    def document_block(self):
        for number in self.block:
            indent = self.lines[number].split("//", 1)[0]
            self.out[number] = f"{indent}///{documentation(text_of(self.lines[number]))}".rstrip()


def filtered(lines):
    return Filter(lines).run()


if __name__ == "__main__":
    header = pathlib.Path(sys.argv[1])
    print("\n".join(filtered(header.read_text(encoding="utf-8").splitlines())))
