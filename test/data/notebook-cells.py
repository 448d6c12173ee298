"""Makes notebook-cells.json: cells, and the code that IPython itself makes of them.

    python3 test/data/notebook-cells.py > test/data/notebook-cells.json

It needs IPython 8 (python3-ipython); with Python 3.12 or later it renews the rows of that Python as well, and else leaves
them as they are. A row's code is the lines that Python gets: without blank lines, comments and calls of get_ipython(), and
with what the cell magics that stay run in their place.
"""

import ast
import json
import pathlib
import sys

from IPython.core.interactiveshell import InteractiveShell

CELLS = [
    # Plain code.
    "x = 1\nprint(x)", "if x != 1 and x % 2 == 0:\n    x %= 3", "x = y % z", "\n\nx = 1\n\n", "", "# only a comment", "x = 1;",
    "def f():\n    '''doc\n%no\n!no\n'''\n    return 1\n", "x = [\n  1,\n  # !no\n  2 % 3,\n]\ny", "x = 1 + \\\n  2\ny",
    "x = 'a\\\nb'\ny", "@dec\ndef f(a, *, b=1): pass", "class A:\n\tx: int = 1\n", "x = r'\\\\'\ny = rb'\\''",
    "x = 'it''s'\ny", "x = '''a''b'''\ny", 'x = """a""b"\\""""\ny', "a, b = b, a", "x = y = 3", "f(x=1, y=2)", "x == y",
    "x = a if b else c", "x: int = 3", "d['%k'] = '!v'", "lambda x=1: x", "if x: y = 1", "x = {'a': 1}[b'a']", "1if x else 2",
    "print('?')", "x = 1  # why?", "# %cd x", "x = ...\n...", "x = 1 \\\n\ny", "x @ y\nx @= y", "not x\n~x\n-x\n*a, b = c",
    # Strings with fields, as every Python 3 reads them.
    "f'{x}'\ny", "f'{{'\n%cd x\ny", "f'{{{x}}}'\n%cd x\ny", "f'{x!r:>{w}}'\n%cd x\ny", "f'{x:%H:%M}'\n%cd x\ny", "f'{a[1:2]:{b}}'\ny",
    "f'''{\nx\n}'''\n%cd x\ny", "f'''{x:\n}'''\n%cd x", "f'a\\\n{x}'\n%cd x\ny", "rf'\\{x}'\n%cd x", "f'\\N{EM DASH}{x}'\n%cd x",
    'f"{d[\'a\']}"\n%cd x\ny', "F'{x}' f\"{y}\" '{'\n%cd x\nz", "f'{x = }'\n%cd x", "f'''{f'{x}'}'''\n%cd x", "f'{(lambda x: 1)(2)}'\ny",
    "f'{x}' if f'{y}' else '{'\n%cd x\ny", "1if'{'else 2\n%cd x\ny", "fr'{x}\\''\n%cd x", "b'{'\n%cd x", "u'{'\n%cd x", "f'{x:{{}}}'\n%cd x",
    # Commands.
    "%matplotlib inline\nx", "x\n%cd a\ny", "!pip install x\ny", "!!ls\ny", "?len\ny", "??len\ny", "len?\ny", "df.head??\ny", "?\ny",
    "%\ny", "!\ny", "%%\ny", "x\n%%time\ny", "if a:\n    !ls\nelse:\n    b", "if a:\n\t%cd x\n\ty", "for i in x:\n  !echo {i}\n",
    "!echo \"it's\ny", "!echo '(\ny", "!ls \\\n  -l 'c\ny", "%cd \\\n  x\ny", "if a:\n  !x \\\n    y\n  z", "!ls \\", "%cd x?\ny",
    "%timeit f(x)\ny", "%timeit -n 1 f(x)", "%time x = f()\ny", "%time f()", "%time", "%time    x = 1", "if a:\n    %time x = 1\n    y",
    "%time for i in x: f(i)", "%time x = [1, \\\n  2]\ny", "%time !ls", "%time %cd x", "%time ls", "%time f() # why?", "%timer x\ny",
    "%env A=1\ny", "%run a.py\ny", "%load_ext autoreload\n%autoreload 2\nimport x", "x = 'a' % b\n%cd c", "def f():\n    %cd x\n",
    "class A:\n    !ls\n    x = 1", "try:\n    !ls\nexcept E:\n    pass", "with a:\n    %cd b\n", "%config a = 'b'\ny", "% cd x\ny",
    # Assignments of commands.
    "files = !ls\ny", "files = !ls | grep \"it's\ny", "if x:\n  t = %timeit -o f()\ny", "a, b = !x\ny", "a['x'] = !ls\ny", "a.b = %pwd\ny",
    "x = !ls \\\n  -l\ny", "x = \\\n  !ls\ny", "(a,\n b) = !ls\ny", "x =!ls\ny", "x=%pwd\ny", "x = % pwd\ny", "x: list = !ls\ny",
    "x = %time f()\ny", "x = %time f(1)  # why\ny", "if a:\n  x = %time f()\n", "f(x='!y')", "x = '= !ls'", "x = y %pwd", "x = a != b\n",
    "x = %time not a", "a[f(x=1)] = !ls",
    # Cell magics.
    "%%bash\nls\n  x", "\n%%writefile a.py\nx = '''", "%%time\nx = 1\n!ls", "%%time\n    x = 1\n    y = 2", "%%time\n\n  if x:\n    y\n  z",
    "%%capture out\n\n%%time\nx", "%%capture\n%%bash\nx", "%%timer\nx", "%%html\n<b>'</b>", "%%time?\nx", "%%time\n%cd x\ny",
    "%%capture --no-stderr\n>>> x = 1\n>>> y", "%%time\nls", "%%time\nx = (1,\n2)", "  %%time\n  x = 1", "%%time\n\tif x:\n\t\ty", "%%javascript\nx = {",
    "%%time\ndef f():\n    return '''\n    a\n'''", "%%latex\n$x$", "%%sh", "%%time\nx\n  # c\ny",
    # Indentation, form feeds, order marks.
    "  x = 1\n  if x:\n    !ls\n", "\n   !ls\n", "    x = 1\ny = 2", "\tx\n\ty", "\f\n%cd x\ny", "\fx = 1", "x\n\fy", "\f    x = 1\ny",
    "def f():\n    x\n\f    y\n", "x = 1 \f+ 2", "\n\f\n  %cd x\n  y", "  x\n  if x:\n    y\n\f    z\n", "  # c\n  x",
    # Prompts.
    ">>> x = 1\n>>> y = 2", ">>> for i in x:\n...     f(i)\n...\n>>> y", "In [1]: x = 1\n   ...: y = 2\n   ...:", "In [12]: def f():\n    ...:     x\n",
    ">>> !ls\n>>> x", ">>> %time x = 1\ny", "  >>> x = 1\n  >>> y", "x = 1\n>>> y = 2", ">>>\nx", "[ins] In [3]: x", " In [1]: x\n   ...: y",
    ">>> %%bash\nls", "x = '''\n>>> a\n'''", "def f():\n    '''\n    >>> f()\n    1\n    '''\n    return 1", ">>> x\n'out'",
    ">>> if x:\n...     !ls\n...     y",
    # Calls without brackets.
    "/f x y\nz", "/f\nz", "/f.g x", ",f a b\nz", ";f a b\nz", "if a:\n    /f x\n    y", "/f x \\\n  y\nz", ",f\nz", ";f\nz", "/f 'a' 1",
    "x = a \\\n  /b", "f(a\n  /b,\n  c)", "a = [\n  1\n  , 2]", ";f it's",
    # Commands without a '%': a cell of one line.
    "cd x", "ls", "pwd", "pip install x", "ls -la", "cd ..", "cd /tmp", "cd ~", "cat a.txt", "time x = 1", "time f(x)", "timeit f(x)", "who",
    "ls = 1", "ls == 1", "cd, x = 1, 2", "matplotlib inline", "run a.py", "mkdir -p a/b", "rm -rf x", "ls *.py", "cd it's", "time.sleep(1)",
    "ls\n", "\nls", "  ls", "ls ../x", "ls ./x", "history", "conda install x", "env", "cd", "pip.main()", "config.x = 1", "load a.py", "cd (x",
    # Imports that a script has at its start, names that are global.
    "from __future__ import annotations\nx: y", "def f():\n    global x\n    x = 1",
    "async def f():\n    await g()\n    async with h() as x:\n        pass\n", "x = (y async for y in z)", "def f():\n  async def g(): await h()\n",
]

# What only Python 3.12 and later read.
CELLS_312 = [
    "x = f'{a['b']}'\n%cd x\ny", "f'{f'{f'{1}'}'}'\n%cd x\ny", "f'{\n  x  # '\n}'\n%cd x\nz", "f'{d[\"\"\"it's\"\"\"]}'\nx?\ny",
    "f'{'\\n'.join(a)}'\n%cd x\ny", "f'{x:d\n}'\n%cd x\ny", "f'{x\\\n}'\n%cd x", "f\"{\"'\"}\"\n%cd x\ny", "f'{'''a\n%no\n'''}'\n%cd x\ny",
    "f'{a['{']:{b['}']}}'\n%cd x\ny", "f'{'{{'}}}'\n%cd x\ny", "f'{'}'}'\n%cd x\ny", "f'''{'''a'''}'''\n%cd x",
    "f'{[\n  1,\n  '[',\n]}'\n%cd x\ny", "f'{lambda_('#')}'  # '\n%cd x\ny", "f'{x!r:{f'{y}'}}'\n%cd x\ny", "f'{a[b['c']]}'; x = f'{'!'}'\n%cd x",
    "%%time\nf'{a['b']}'\n%cd x\ny", "f'{(x:=5)}'\n%cd x", "f'{x:=5}'\n%cd x", "f'{*a, '*'}'\n%cd x", "f'\\'{'\\''}'\n%cd x\ny",
]

KEPT = ("time", "timeit", "capture")


def call_of(statement):
    """The method and the arguments of a statement that is get_ipython().METHOD(…), or assigns it; else None."""
    value = statement.value if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign)) else None
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)):
        return None
    if ast.unparse(value.func.value) != "get_ipython()":
        return None
    return value.func.attr, [argument.value for argument in value.args]


def code_of(shell, cell):
    text = shell.transform_cell(cell)
    lines = text.split("\n")
    for statement in ast.walk(ast.parse(text)):
        call = call_of(statement)
        if call is None:
            continue
        at = statement.lineno - 1
        for index in range(at, statement.end_lineno):
            lines[index] = ""
        method, arguments = call
        if method == "run_cell_magic" and arguments[0] in KEPT:
            lines[at] = "\n".join(code_of(shell, arguments[2]))
    lines = "\n".join(lines).split("\n")
    return [line for line in lines if line.strip() and not line.strip().startswith("#")]


def main():
    shell = InteractiveShell.instance()
    path = pathlib.Path(__file__).with_suffix(".json")
    rows = [] if not path.exists() else json.loads(path.read_text())
    modern = sys.version_info >= (3, 12)
    older = [{"cell": cell, "code": code_of(shell, cell)} for cell in CELLS] if not modern else [row for row in rows if "python" not in row]
    newer = [row for row in rows if "python" in row]
    if modern:
        newer = [{"python": "3.12", "cell": cell, "code": code_of(shell, cell)} for cell in CELLS_312]
    print("[\n" + ",\n".join(json.dumps(row, ensure_ascii=True) for row in older + newer) + "\n]")


main()
