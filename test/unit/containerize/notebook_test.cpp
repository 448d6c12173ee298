#include "containerize/notebook.hpp"

#include "containerize/notebook_cell.hpp"
#include "containerize/python_lines.hpp"
#include "one_cell.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dockline::containerize {
namespace {

std::string refusal(std::string_view json) {
  diagnostics why;
  const auto made = script_of_notebook(json, "n.ipynb", why);
  REQUIRE(made.has_error());
  CHECK(made.error() == errc::invalid_argument);
  CHECK(why.client_message().starts_with("entry_point \"n.ipynb\": "));
  return why.client_message().substr(std::string("entry_point \"n.ipynb\": ").size());
}

}  // namespace

TEST_SUITE("containerize/notebook") {
  TEST_CASE("code stays as it is") {
    CHECK(cell("x = 1\nprint(x)") == "x = 1\nprint(x)\n");
    CHECK(cell("x = 1\n") == "x = 1\n");
    CHECK(cell("") == "");
    CHECK(cell("\n\nx\n\n") == "\n\nx\n\n");
    CHECK(cell("if x != 1 and x % 2 == 0:\n    x %= 3") == "if x != 1 and x % 2 == 0:\n    x %= 3\n");
  }

  TEST_CASE("magics and commands become comments, and an indented one leaves a statement") {
    CHECK(cell("%matplotlib inline\n!pip install x\nprint(1)") ==
          "# %matplotlib inline\n# !pip install x\nprint(1)\n");
    CHECK(cell("if a:\n    !ls\n\t%cd f()\nelse:\n    b()") ==
          "if a:\n    pass  # !ls\n\tpass  # %cd f()\nelse:\n    b()\n");
    CHECK(cell("?len\nlen?\ndf.head??\nprint('?')\nx = 1  # why?") ==
          "# ?len\n# len?\n# df.head??\nprint('?')\nx = 1  # why?\n");
    // A command goes on behind a backslash.
    CHECK(cell("!pip install a \\\n  b 'c\nx") == "# !pip install a \\\n#   b 'c\nx\n");
    CHECK(cell("if a:\n  !x \\\n   y\n  z") == "if a:\n  pass  # !x \\\n  #    y\n  z\n");
    CHECK(cell("!echo \"it's\nx") == "# !echo \"it's\nx\n");
    CHECK(cell("!ls \\") == "# !ls \\\n");
  }

  TEST_CASE("assignments of magics and commands become comments, and are told apart") {
    cells_before before;
    const cell_script made =
        script_of_cell("files = !ls\nif x:\n  t = %timeit -o f()\na, b = !x\nc == d\n%cd /", before);
    CHECK(made.text == "# files = !ls\nif x:\n  pass  # t = %timeit -o f()\n# a, b = !x\nc == d\n# %cd /\n");
    REQUIRE(made.changed.size() == 4);
    CHECK((made.changed[0].assigned && made.changed[0].line == 1));
    CHECK((made.changed[1].assigned && made.changed[1].text == "t = %timeit -o f()"));
    CHECK((made.changed[2].assigned && made.changed[2].line == 4));
    CHECK((!made.changed[3].assigned && made.changed[3].line == 6));
  }

  TEST_CASE("in strings, brackets and continued lines it is code") {
    for (const std::string code :
         {"x = '''\n%magic\n!ls\n'''", "x = \"\"\"a\\\"\"\"\n!ls\"\"\"", "f(a\n  %b\n  , 'x' '!')",
          "x = a \\\n  %b", "x = 'a\\\n%b'", "d = {\n  'k': 1 }  # %no\n", "x = '= !ls'", "f(x= '!y')",
          "r'\\\\'", "x = [  # '\n~1\n]", "x = '\\\\'\ny"})
      CHECK(cell(code) == (code.ends_with('\n') ? code : code + "\n"));
    // A comment opens nothing.
    CHECK(cell("# it's (\n!ls") == "# it's (\n# !ls\n");
  }

  TEST_CASE("cell magics comment their cell out, unless they only measure or capture it") {
    CHECK(cell("%%bash\nls\n  x") == "# %%bash\n# ls\n#   x\n");
    CHECK(cell("\n%%writefile a.py\nx = '''") == "\n# %%writefile a.py\n# x = '''\n");
    CHECK(cell("%%time\nx = 1\n!ls") == "# %%time\nx = 1\n# !ls\n");
    CHECK(cell("%%timeit -n 1\nx") == "# %%timeit -n 1\nx\n");
    CHECK(cell("%%capture out\n\n%%time\nx") == "# %%capture out\n\n# %%time\nx\n");
    CHECK(cell("%%capture\n%%bash\nx") == "# %%capture\n# %%bash\n# x\n");
    CHECK(cell("%%timer\nx") == "# %%timer\n# x\n");
  }

  TEST_CASE("what the whole cell is indented by counts for nothing") {
    CHECK(cell("  x = 1\n  if x:\n    !ls\n") == "x = 1\nif x:\n  pass  # !ls\n");
    CHECK(cell("\n   !ls\n") == "\n# !ls\n");
  }

  TEST_CASE("a cell that leaves something open would swallow the next one") {
    CHECK(cell("x = (1,") == "fault: line 1: a bracket is not closed");
    CHECK(cell("x = '''") == "fault: line 1: a string is not closed");
  }

  TEST_CASE("nbformat 4: code cells in order, under their numbers") {
    diagnostics why;
    const auto made = script_of_notebook(
        R"({"nbformat": 4, "metadata": {"kernelspec": {"language": "python"}}, "cells": [
             {"cell_type": "markdown", "source": ["# title"]},
             {"cell_type": "code", "source": ["import os\n", "%cd x\n", "y = !ls"]},
             {"cell_type": "raw", "source": "x"},
             {"cell_type": "code", "source": "print('\u00fc')\r\nz\rw"},
             {"cell_type": "code", "source": []}]})",
        "dir/n.ipynb", why);
    REQUIRE(made.has_value());
    CHECK(
        made->text ==
        "# %% cell 2\nimport os\n# %cd x\n# y = !ls\n\n# %% cell 4\nprint('\u00fc')\nz\nw\n\n# %% cell 5\n");
    REQUIRE(made->warnings.size() == 2);
    CHECK(made->warnings[0] ==
          "dir/n.ipynb: what only a notebook can do became comments: cell 2, line 2: \"%cd x\"");
    CHECK(made->warnings[1] ==
          "dir/n.ipynb: cell 2, line 3: \"y = !ls\" became a comment, so what is on its left is not set");
  }

  TEST_CASE("nbformat 3: the cells are in worksheets, and numbered through") {
    diagnostics why;
    const auto made = script_of_notebook(
        R"({"nbformat": 3, "worksheets": [
             {"cells": [{"cell_type": "heading", "source": "x"},
                        {"cell_type": "code", "language": "python", "input": ["a = 1\n", "b"]}]},
             {"cells": [{"cell_type": "code", "language": "python", "input": "c"}]}]})",
        "n.ipynb", why);
    REQUIRE(made.has_value());
    CHECK(made->text == "# %% cell 2\na = 1\nb\n\n# %% cell 3\nc\n");
    CHECK(made->warnings.empty());
  }

  TEST_CASE("kernels name Python as they like") {
    const auto reads = [](const std::string& metadata, const std::string& cell = "") {
      diagnostics why;
      return script_of_notebook(R"({"nbformat": 4, "metadata": )" + metadata +
                                    R"(, "cells": [{"cell_type": "code", "source": "x")" + cell + "}]}",
                                "n", why)
          .has_value();
    };
    for (const std::string name : {"Python", "python3", "Python 3", "PYTHON", "IPython", "python3.11", ""}) {
      CHECK(reads(R"({"kernelspec": {"language": ")" + name + "\"}}"));
      CHECK(reads(R"({"language_info": {"name": ")" + name + "\"}}"));
      CHECK(reads("{}", R"(, "language": ")" + name + "\""));
    }
    for (const std::string name : {"R", "Julia", "pythonic", "micropython", "i", "sagemath"})
      CHECK_FALSE(reads(R"({"kernelspec": {"language": ")" + name + "\"}}"));
  }

  TEST_CASE("a byte order mark before the notebook, and CRLF in and around it") {
    diagnostics why;
    const auto made = script_of_notebook(
        "\xef\xbb\xbf{\"nbformat\": 4,\r\n\"cells\": [{\"cell_type\": \"code\",\r\n"
        "\"source\": [\"%cd x\\r\\n\", \"y = 1\\r\\n\"]}]}\r\n",
        "n", why);
    REQUIRE(made.has_value());
    CHECK(made->text == "# %% cell 1\n# %cd x\ny = 1\n");
  }

  TEST_CASE("what a script can have at its start only is moved there") {
    const auto script = [](const std::vector<std::string>& cells) {
      std::string json = R"({"nbformat": 4, "cells": [)";
      for (const std::string& source : cells) {
        json += json.ends_with('[') ? "" : ", ";
        json += R"({"cell_type": "code", "source": ")" + source + "\"}";
      }
      diagnostics why;
      const auto made = script_of_notebook(json + "]}", "n", why);
      return made ? made->text : why.client_message();
    };
    const std::string import = "from __future__ import annotations";
    CHECK(script({"# a\\n" + import + "\\nx"}) == "# %% cell 1\n# a\n" + import + "\nx\n");
    CHECK(script({"x", import + "\\ny"}) ==
          import + "\n\n# %% cell 1\nx\n\n# %% cell 2\n# " + import + "\ny\n");
    CHECK(script({"x", import + "; y"})
              .ends_with("cell 2: line 1: a script can have this only at its start; on a line of its own it "
                         "is moved there"));
    // Said again of what is global already.
    CHECK(script({"x = 1", "global x\\ndef f():\\n  global x"}) ==
          "# %% cell 1\nx = 1\n\n# %% cell 2\n# global x\ndef f():\n  global x\n");
    // The script's second line may be a comment about another encoding.
    CHECK(script({"# coding: latin-1\\nx"}) == "# coding: utf-8\n# %% cell 1\n# coding: latin-1\nx\n");
    CHECK(script({"x\\n# coding: latin-1"}) == "# %% cell 1\nx\n# coding: latin-1\n");
  }

  TEST_CASE("what was rewritten is listed apart") {
    diagnostics why;
    const auto made = script_of_notebook(
        R"({"nbformat": 4, "cells": [{"cell_type": "code", "source": ">>> f()\n/g x\n%cd y"},
                                     {"cell_type": "code", "source": "pip install z"}]})",
        "n", why);
    REQUIRE(made.has_value());
    REQUIRE(made->warnings.size() == 2);
    CHECK(made->warnings[0] ==
          "n: what only a notebook can do became comments: cell 1, line 3: \"%cd y\"; cell 2, line 1: "
          "\"pip install z\"");
    CHECK(made->warnings[1] ==
          "n: what only a notebook understands was rewritten: cell 1, line 1: \">>> f()\" as \"f()\"; "
          "cell 1, line 2: \"/g x\" as \"g(x)\"");
  }

  TEST_CASE("a long list of magics is cut, and so is a long line, between characters") {
    std::string source;
    for (int i = 0; i < 60; ++i) source += "%m\\n";
    source += "%" + std::string(58, 'x') + "\u00fc\u00fc";
    diagnostics why;
    const auto made = script_of_notebook(
        R"({"nbformat": 4, "cells": [{"cell_type": "code", "source": ")" + source + "\"}]}", "n", why);
    REQUIRE(made.has_value());
    REQUIRE(made->warnings.size() == 1);
    CHECK(made->warnings[0].ends_with("cell 1, line 50: \"%m\"; and 11 more"));
    const auto other = script_of_notebook(R"({"nbformat": 4, "cells": [{"cell_type": "code", "source": "%)" +
                                              std::string(58, 'x') + "\u00fc\u00fc\"}]}",
                                          "n", why);
    REQUIRE(other.has_value());
    CHECK(other->warnings[0].ends_with("\"%" + std::string(58, 'x') + "…\""));
  }

  TEST_CASE("invalid notebooks: the cell and the reason") {
    CHECK(refusal("") == "is no notebook: not JSON, from byte 0 on");
    CHECK(refusal("{}") == "is no notebook: it has no nbformat");
    CHECK(refusal(R"({"nbformat": 2})") == "is a notebook of nbformat 2; 3 and 4 can be read");
    CHECK(refusal(R"({"nbformat": 4})") == "is no notebook: it has no cells");
    CHECK(refusal(R"({"nbformat": 3})") == "is no notebook: it has no worksheets");
    CHECK(refusal(R"({"nbformat": 4, "cells": []})") == "is a notebook without code");
    CHECK(refusal(R"({"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "x"}]})") ==
          "is a notebook without code");
    CHECK(refusal(R"({"nbformat": 4, "metadata": {"language_info": {"name": "R"}}, "cells": []})") ==
          "is a notebook in R, not in Python");
    CHECK(refusal(R"({"nbformat": 4, "cells": [{"cell_type": "markdown"}, {"source": "x"}]})") ==
          "cell 2: it has no cell_type");
    CHECK(refusal(R"({"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]})") ==
          "cell 1: its source is neither a text nor a list of lines");
    CHECK(refusal(R"({"nbformat": 4, "cells": [{"cell_type": "code", "source": "a\u0000"}]})") ==
          "cell 1: it has a NUL, which Python does not read");
    CHECK(refusal(R"({"nbformat": 4, "cells": [{"cell_type": "code", "source": "f("}]})") ==
          "cell 1: line 1: a bracket is not closed");
    CHECK(refusal(R"({"nbformat": 3, "worksheets": [{"cells": [
                       {"cell_type": "code", "language": "R", "input": "x"}]}]})") ==
          "cell 1: it is not in Python");
  }
}

}  // namespace dockline::containerize
