// What IPython alone understands, cell by cell; notebook_cells_test.cpp has the rest.

#include "containerize/notebook_cell.hpp"

#include "one_cell.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace dockline::containerize {

TEST_SUITE("containerize/notebook_cell") {
  TEST_CASE("strings with fields, as Python 3.12 reads them") {
    for (const std::string line :
         {"x = f'{a['b']}'", "f'{f'{f'{1}'}'}'", "f'{d[\"\"\"it's\"\"\"]}'", "f'{'\\n'.join(a)}'", "f'{{'",
          "f'{x!r:>{w['(']}}'", "rf'\\{x}'", "f'\\N{EM DASH}{x}'", "f'{x:{{}}}'", "1if'{'else 2", "f'{'{'}'",
          "T'{a['b']}'", "f'{\n  x  # ' (\n}'", "f'{x:d\n}'", "f'''{'''a'''}'''", "f'{x != y}'"})
      CHECK(cell(line + "\n!ls\ny") == line + "\n# !ls\ny\n");
    CHECK(cell("x = f'{a") == "fault: line 1: a bracket is not closed");
    CHECK(cell("x = f'{a:b'") == "fault: line 1: a bracket is not closed");
    CHECK(cell("x = f'a}'") == "fault: line 1: '}' closes nothing");
    CHECK(cell("x = f'{a)}'") == "fault: line 1: ')' closes a bracket of another kind");
    CHECK(cell("x = f'{a?}'") == "fault: line 1: '?' is not Python there");
    CHECK(cell("y\nx = f'a") == "fault: line 2: a string is not closed");
  }

  TEST_CASE("what is no Python is refused with its line") {
    CHECK(cell("y\nx = 'broken\n!ls") == "fault: line 2: a string is not closed");
    CHECK(cell("x = (1,\n2]") == "fault: line 2: ']' closes a bracket of another kind");
    CHECK(cell("x\n)\n!ls") == "fault: line 2: ')' closes nothing");
    CHECK(cell("x = (1,\n'''") == "fault: line 2: a string is not closed");
    CHECK(cell("x = 1 + \\") == "fault: line 1: nothing follows the '\\' at its end");
    CHECK(cell("x = 1 + \\ \ny") == "fault: line 1: '\\' is not Python there");
    CHECK(cell("a? + b") == "fault: line 1: '?' is not Python there");
    CHECK(cell("x\nif a: !ls") == "fault: line 2: '!' is not Python there");
    CHECK(cell("x = $1") == "fault: line 1: '$' is not Python there");
  }

  TEST_CASE("what a magic of one line measures is a part of it") {
    CHECK(cell("%time x = f()\ny") == "# %time x = f()\ny\n");
    CHECK(cell("if a:\n    %time f()\n") == "if a:\n    pass  # %time f()\n");
    CHECK(cell("x = %time f()\ny") == "# x = %time f()\ny\n");
    CHECK(cell("%time x = [1, \\\n2]\ny") == "# %time x = [1, \\\n# 2]\ny\n");
    CHECK(cell("%timeit f()\ny") == "# %timeit f()\ny\n");
    CHECK(cell("%%timeit -n 3 x = 5\nf(x)") == "# %%timeit -n 3 x = 5\nf(x)\n");
  }

  TEST_CASE("the body of a cell magic that stays is a cell of its own") {
    CHECK(cell("%%time\n    x = 1\n    if x:\n        !ls") == "# %%time\nx = 1\nif x:\n    pass  # !ls\n");
    CHECK(cell("  %%capture\n\n\t>>> x\n\t>>> y") == "# %%capture\n\nx\ny\n");
    CHECK(cell("%%time\nls") == "# %%time\n# ls\n");
    CHECK(cell("%%time?\nx") == "# %%time?\nx\n");
    // Without end it is not looked through.
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "%%time\n";
    CHECK(cell(many + "x").ends_with("# %%time\n# x\n"));
  }

  TEST_CASE("prompts go, where IPython looks for them and further down") {
    CHECK(cell(">>> if x:\n...     y\n...\n>>> z") == "if x:\n    y\n\nz\n");
    CHECK(cell("In [1]: x = 1\n   ...: y = 2") == "x = 1\ny = 2\n");
    CHECK(cell("x\ny\n>>> if z:\n...     !ls\nw") == "x\ny\nif z:\n    pass  # !ls\nw\n");
    CHECK(cell("x\ny\nif z:\n  >>> >>> w\n  v") == "x\ny\nif z:\n  w\n  v\n");
    CHECK(cell("x\ny\n... z") == "x\ny\nz\n");
    CHECK(cell("x\n'''\n>>> y\n'''\n...\n") == "x\n'''\n>>> y\n'''\n...\n");
    cells_before before;
    const cell_script made = script_of_cell("\n>>> x\n>>> y\n\nz\nw", before);
    REQUIRE(made.changed.size() == 1);
    CHECK((made.changed[0].line == 2 && made.changed[0].text == ">>> x" && made.changed[0].became == "x"));
  }

  TEST_CASE("calls without brackets get them") {
    CHECK(cell("/f a b\nx") == "f(a, b)\nx\n");
    CHECK(cell("if a:\n  ,f.g a b\n  ;f it's so") == "if a:\n  f.g(\"a\", \"b\")\n  f(\"it's so\")\n");
    CHECK(cell("/f") == "f()\n");
    for (const std::string line : {"/", ",", ";", "/ f x", ",1 x", ";f a\"b", "/if x", ",f \"a\""})
      CHECK(cell(line + "\ny") == "# " + line + "\ny\n");
    CHECK(cell("x = (a\n/b\n, c)") == "x = (a\n/b\n, c)\n");
  }

  TEST_CASE("commands without a % become comments, unless they are names") {
    for (const std::string line : {"ls", "pwd", "cd x", "cd ..", "cd /tmp", "ls -la", "pip install x", "cd ~",
                                   "cat it's", "ls *.py", "cd (x", "timeit f(x)", "time f(x)", "cd ../x"})
      CHECK(cell(line) == "# " + line + "\n");
    // Among other lines IPython would not take them, nor does Python take these.
    CHECK(cell("x\npip install y\ncd ..\nif a:\n  cd /tmp\n  rm -rf z") ==
          "x\n# pip install y\n# cd ..\nif a:\n  pass  # cd /tmp\n  pass  # rm -rf z\n");
    for (const std::string line :
         {"ls = 1", "ls, cd = 1, 2", "cd: int = 3", "pip.main()", "env['x']", "run(x)",
          "x\nhistory if a else b", "x\nls", "x\nls - la", "load += 1", "lss"})
      CHECK(cell(line) == line + "\n");
    cells_before before;
    CHECK(script_of_cell("import time\nhistory = fit()", before).text == "import time\nhistory = fit()\n");
    CHECK(script_of_cell("history", before).text == "history\n");
    CHECK(script_of_cell("time - 1", before).text == "time - 1\n");
    CHECK(script_of_cell("time f()", before).text == "# time f()\n");
    CHECK(script_of_cell("x.ls\nf('ls')", before).text == "x.ls\nf('ls')\n");
    CHECK(script_of_cell("ls", before).text == "# ls\n");
    // Nor are statements that are not whole looked for without end.
    std::string many = "x\n";
    for (int i = 0; i < 200; ++i) many += "cd 1(\n";
    CHECK(cell(many).starts_with("fault: line "));
  }

  TEST_CASE("an assignment may have several lines") {
    CHECK(cell("(a,\n b) = !ls\ny") == "# (a,\n#  b) = !ls\ny\n");
    CHECK(cell("x = \\\n  %pwd \\\n  z\ny") == "# x = \\\n#   %pwd \\\n#   z\ny\n");
    CHECK(cell("x = \\\n  y?\nz") == "# x = \\\n#   y?\nz\n");
  }

  TEST_CASE("form feeds and an order mark") {
    CHECK(cell("x\n\f%cd y\n\f!ls") == "x\n# %cd y\n# !ls\n");
    CHECK(cell("\f  x\n  y") == "x\ny\n");
    CHECK(cell("if a:\n \f  !ls\n") == "if a:\n  pass  # !ls\n");
    CHECK(cell("\xef\xbb\xbf%cd x\ny") == "# %cd x\ny\n");
  }

  TEST_CASE("await is for functions") {
    const std::string reason =
        "there is an \"await\" or \"async\" outside a function, which only a notebook can have; "
        "asyncio.run() is what a script has";
    for (const std::string line :
         {"await f()", "x = [await f()]", "async with a: b", "async for a in b: c", "[a async for a in b]",
          "def f():\n  x\nawait y", "class A:\n  x = await y"})
      CHECK(cell("x\n" + line).ends_with(": " + reason));
    CHECK(cell("x\nif a:\n  b = (1,\n    await c)") == "fault: line 4: " + reason);
    for (const std::string code :
         {"async def f():\n  await x\n  async with a: b", "def f():\n  async def g(): await x\n  y",
          "x = (a async for a in b)", "async def f(): return [await x]", "f('await', b.await_)"})
      CHECK(cell(code) == code + "\n");
  }
}

}  // namespace dockline::containerize
