#include "containerize/source_plan.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <functional>
#include <string>

namespace dockline::containerize {
namespace {

using archive::scratch_tree;

containerize_options in(const scratch_tree& tree, const std::string& entry_point) {
  containerize_options options;
  options.working_directory = tree.root();
  options.entry_point = entry_point;
  return options;
}

source_plan plan_of(const containerize_options& options) {
  diagnostics why;
  auto plan = find_sources(options, why);
  REQUIRE_MESSAGE(plan.has_value(), why.client_message());
  return *plan;
}

std::string refusal(const containerize_options& options) {
  diagnostics why;
  const auto plan = find_sources(options, why);
  REQUIRE(plan.has_error());
  CHECK(plan.error() == errc::invalid_argument);
  return why.client_message();
}

constexpr const char* notebook =
    R"json({"nbformat": 4, "cells": [{"cell_type": "code", "source": "%cd x\nprint(1)"}]})json";

}  // namespace

TEST_SUITE("containerize/source_plan") {
  TEST_CASE("the context is the entry point's directory") {
    const scratch_tree tree;
    tree.file("training/mnist.py", "print(1)\n");
    for (const std::string& entry :
         {std::string("training/mnist.py"), std::string("./training/../training/mnist.py"),
          tree.path("training/mnist.py")}) {
      const source_plan plan = plan_of(in(tree, entry));
      CHECK(plan.directory == tree.path("training"));
      CHECK(plan.entry_point == "mnist.py");
      CHECK(plan.requirements == "");
      CHECK(plan.extra_files.empty());
      CHECK(plan.warnings.empty());
    }
    tree.file("top.py");
    CHECK(plan_of(in(tree, "top.py")).directory == tree.root());
  }

  TEST_CASE("an entry point that cannot be one") {
    const scratch_tree tree;
    const scratch_tree elsewhere;
    elsewhere.file("a.py");
    tree.directory("d.py");
    CHECK(refusal(in(tree, "a.py")) == "entry_point \"a.py\": is not there");
    CHECK(refusal(in(tree, "none/a.py")) == "entry_point \"none/a.py\": is not there");
    CHECK(refusal(in(tree, "d.py")) == "entry_point \"d.py\": is a directory, not a file");
    REQUIRE(::mkfifo(tree.path("f.py").c_str(), 0600) == 0);
    CHECK(refusal(in(tree, "f.py")) == "entry_point \"f.py\": is not a regular file");
    const std::string outside = elsewhere.path("a.py");
    CHECK(refusal(in(tree, outside)) == "entry_point \"" + outside +
                                            "\": lies outside the tree of the working directory, \"" +
                                            tree.root() + "\"");
    // A directory whose name only begins like the tree's is outside of it.
    const scratch_tree nested;
    nested.file("work/a.py");
    nested.file("work-2/a.py");
    containerize_options options = in(nested, "../work-2/a.py");
    options.working_directory = nested.path("work");
    CHECK(refusal(options).find("lies outside the tree") != std::string::npos);
    // Nor do links lead out of the tree, or of the directory that is copied.
    tree.symlink("out", elsewhere.root());
    CHECK(refusal(in(tree, "out/a.py")).find("lies outside the tree") != std::string::npos);
    tree.symlink("sub/link.py", outside);
    CHECK(refusal(in(tree, "sub/link.py")).find("is a symbolic link out of its directory") !=
          std::string::npos);
    tree.file("sub/real.py");
    tree.symlink("sub/good.py", "real.py");
    CHECK(plan_of(in(tree, "sub/good.py")).entry_point == "good.py");
    // What it leads to has to be there in the image, too.
    tree.symlink("sub/absolute.py", tree.path("sub/real.py"));
    CHECK(refusal(in(tree, "sub/absolute.py")).find("is an absolute symbolic link") != std::string::npos);
    tree.file("sub/.dockerignore", "real.py\n");
    CHECK(refusal(in(tree, "sub/good.py")).find("is ignored by line 1") != std::string::npos);
  }

  TEST_CASE("a .dockerignore that is no file is refused, and not waited for") {
    const scratch_tree tree;
    tree.file("a/main.py");
    tree.directory("a/.dockerignore");
    CHECK(refusal(in(tree, "a/main.py")).find("not a regular file") != std::string::npos);
    tree.file("b/main.py");
    REQUIRE(::mkfifo(tree.path("b/.dockerignore").c_str(), 0600) == 0);
    CHECK(refusal(in(tree, "b/main.py")).find("not a regular file") != std::string::npos);
  }

  TEST_CASE("requirements in the context are copied from there") {
    const scratch_tree tree;
    tree.file("app/main.py");
    tree.file("app/deps/requirements.txt", "numpy\n");
    containerize_options options = in(tree, "app/main.py");
    options.requirements = "app/deps/requirements.txt";
    const source_plan plan = plan_of(options);
    CHECK(plan.requirements == "deps/requirements.txt");
    CHECK(plan.extra_files.empty());
  }

  TEST_CASE("requirements from elsewhere are laid in, beside what is there") {
    const scratch_tree tree;
    tree.file("app/main.py");
    tree.file("requirements.txt", "numpy\n");
    containerize_options options = in(tree, "app/main.py");
    options.requirements = "requirements.txt";
    source_plan plan = plan_of(options);
    CHECK(plan.requirements == "requirements.txt");
    REQUIRE(plan.extra_files.size() == 1);
    CHECK(plan.extra_files[0].name == "requirements.txt");
    CHECK(plan.extra_files[0].text == "numpy\n");
    tree.file("app/requirements.txt", "its own\n");
    tree.directory("app/requirements-2.txt");
    plan = plan_of(options);
    CHECK(plan.requirements == "requirements-3.txt");
    CHECK(plan.extra_files[0].name == "requirements-3.txt");
    // A link in the context that leads out of it would be copied as a link.
    tree.symlink("app/linked.txt", "../requirements.txt");
    options.requirements = "app/linked.txt";
    plan = plan_of(options);
    CHECK(plan.requirements == "linked-2.txt");
    CHECK(plan.extra_files[0].text == "numpy\n");
    // A name that is a pattern to COPY.
    tree.file("app/r[1].txt", "scipy\n");
    options.requirements = "app/r[1].txt";
    plan = plan_of(options);
    CHECK(plan.requirements == "requirements-3.txt");
    CHECK(plan.extra_files[0].text == "scipy\n");
    tree.file(".hidden", "x");
    options.requirements = ".hidden";
    CHECK(plan_of(options).requirements == ".hidden");
  }

  TEST_CASE("requirements that cannot be read") {
    const scratch_tree tree;
    tree.file("main.py");
    containerize_options options = in(tree, "main.py");
    options.requirements = "none.txt";
    CHECK(refusal(options) == "requirements \"none.txt\": is not there");
    tree.directory("folder");
    options.requirements = "folder";
    CHECK(refusal(options) == "requirements \"folder\": is a directory, not a file");
  }

  TEST_CASE("a notebook is run as a script that takes no file's place") {
    const scratch_tree tree;
    tree.file("nb/train.ipynb", notebook);
    source_plan plan = plan_of(in(tree, "nb/train.ipynb"));
    CHECK(plan.entry_point == "train.py");
    REQUIRE(plan.extra_files.size() == 1);
    CHECK(plan.extra_files[0].name == "train.py");
    CHECK(plan.extra_files[0].text == "# %% cell 1\n# %cd x\nprint(1)\n");
    CHECK(plan.extra_files[0].mode == 0644);
    REQUIRE(plan.warnings.size() == 1);
    CHECK(plan.warnings[0].starts_with("nb/train.ipynb: "));
    tree.file("nb/train.py", "its own");
    plan = plan_of(in(tree, "nb/train.ipynb"));
    CHECK(plan.entry_point == "train-2.py");
    tree.file("nb/bad.ipynb", "{");
    CHECK(refusal(in(tree, "nb/bad.ipynb")).starts_with("entry_point \"nb/bad.ipynb\": is no notebook"));
  }

  TEST_CASE("what .dockerignore leaves out cannot be run, nor installed") {
    const scratch_tree tree;
    tree.file("app/main.py");
    tree.file("app/requirements.txt");
    tree.file("app/train.ipynb", notebook);
    tree.file("app/.dockerignore", "# comment\n*.txt\n**/main*\n*.ipynb\n");
    CHECK(refusal(in(tree, "app/main.py")) ==
          "entry_point \"main.py\": is ignored by line 3 of .dockerignore, \"**/main*\"");
    containerize_options options = in(tree, "app/train.ipynb");
    CHECK(plan_of(options).entry_point == "train.py");
    options.requirements = "app/requirements.txt";
    CHECK(refusal(options) ==
          "requirements \"requirements.txt\": is ignored by line 2 of .dockerignore, \"*.txt\"");
    tree.file("app/.dockerignore", "*\n!train.py\n!requirements.txt\n");
    CHECK(plan_of(options).entry_point == "train.py");
    tree.file("app/.dockerignore", "[\n");
    diagnostics why;
    CHECK(find_sources(options, why).error() == errc::invalid_pattern);
  }
}

}  // namespace dockline::containerize
