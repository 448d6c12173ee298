#!/usr/bin/env python3
"""An outside project builds against what `meson install` puts in place, in every way that we offer.

    installed.py SOURCE-FOLDER BUILD-FOLDER

Installs into a scratch folder, which also shows that an installed tree may be moved.
"""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
consumer = source / "test/packaging/consumer"
failures = 0


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more).stdout


def check(what):
    """Runs the decorated function at once and says how it went."""
    def attempt(function):
        global failures
        try:
            function()
            print("passed:", what, flush=True)
        except (AssertionError, OSError, subprocess.CalledProcessError) as failure:
            failures += 1
            print("FAILED:", what, failure, getattr(failure, "stdout", "") or "", sep="\n", flush=True)
    return attempt


def refused(*command):
    try:
        run(*command)
    except subprocess.CalledProcessError:
        return
    raise AssertionError("should have been refused")


options = {row["name"]: row["value"] for row in json.loads(run("meson", "introspect", "--buildoptions", build))}
command = json.loads((build / "compile_commands.json").read_text())[0]["command"].split()
cxx = command[1] if command[0].endswith("ccache") else command[0]
scratch = pathlib.Path(tempfile.mkdtemp(prefix="dockline-installed-"))
stage = scratch / "stage"
prefix = pathlib.Path(f"{stage}{options['prefix']}")
libraries = prefix / options["libdir"]


@check("install")
def _():
    run("meson", "install", "-C", build, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": str(stage)})


@check("every public header is installed, and nothing else")
def _():
    def tree(folder, pattern):
        return {str(path.relative_to(folder)) for path in folder.rglob(pattern) if path.is_file()}
    made = {name.removesuffix(".in") for name in tree(source / "lib/include", "*.hpp.in")}
    wanted = tree(source / "lib/include", "*.hpp") | made
    found = tree(prefix / options["includedir"], "*")
    assert wanted and found == wanted, sorted(found ^ wanted)


if failures:
    shutil.rmtree(scratch)
    sys.exit("nothing else can be tried")

kinds = [kind for kind, name in (("shared", "libdockline.so"), ("static", "libdockline.a"))
         if (libraries / name).exists()]
environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
linker = [argument for argument in options.get("b_sanitize", "none").split(",") if argument != "none"]
sanitize = [f"-fsanitize={','.join(linker)}"] if linker else []

# A program need not be compiled by the compiler that made the library.
compilers = [cxx]
if not sanitize and (other := shutil.which("clang++-16")) and other != shutil.which(cxx):
    compilers.append(other)

for kind, compiler in itertools.product(kinds, compilers):
    @check(f"pkg-config, {kind}, {os.path.basename(compiler)}")
    def _():
        def ask(*what):
            return run("pkg-config", f"--define-variable=prefix={prefix}", *what, "dockline",
                       env={**os.environ, "PKG_CONFIG_PATH": str(libraries / "pkgconfig")}).split()
        flags = ask("--static", "--cflags", "--libs") if kind == "static" else ask("--cflags", "--libs")
        if kind == "static":
            flags = ["-l:libdockline.a" if flag == "-ldockline" else flag for flag in flags]
        program = scratch / f"pkg-config-{kind}-{os.path.basename(compiler)}"
        run(compiler, "-std=c++20", consumer / "main.cpp", "-o", program, *sanitize, *flags)
        run(program, env=environment)

    if shutil.which("cmake"):
        @check(f"CMake, {kind}, {os.path.basename(compiler)}")
        def _():
            folder = scratch / f"cmake-{kind}-{os.path.basename(compiler)}"
            configure = ["cmake", "-G", "Ninja", "-S", consumer, "-B", folder, f"-DCMAKE_CXX_COMPILER={compiler}",
                         f"-DCMAKE_CXX_FLAGS={' '.join(sanitize)}", f"-DCMAKE_PREFIX_PATH={prefix}",
                         f"-Ddockline_USE_STATIC_LIBS={'ON' if kind == 'static' else 'OFF'}"]
            run(*configure, "-DWANTED=0.1")
            run("cmake", "--build", folder)
            run(folder / "consumer", env=environment)
            for wrong in ("0.2", "1.0"):
                shutil.rmtree(folder)
                refused(*configure, f"-DWANTED={wrong}")
    else:
        print("not tried: CMake is not installed")

if "shared" in kinds:
    @check("the shared library shows nothing of what it is made of")
    def _():
        shown = run("nm", "-DC", "--defined-only", libraries / "libdockline.so").splitlines()
        names = [line.split(maxsplit=2)[2] for line in shown]
        ours = [name for name in names if "dockline::" in name]
        foreign = [name for name in names if "rapidjson::" in name or "beast::" in name or "deflate" in name]
        assert ours and not foreign, "\n".join(foreign[:5])

if "static" in kinds:
    @check("a program with another RapidJSON keeps it: the static library has its own under another name")
    def _():
        shown = run("nm", "-C", "--defined-only", libraries / "libdockline.a")
        named = re.findall(r"^[0-9a-f]+ \S (\S*?rapidjson::)", shown, re.MULTILINE)
        foreign = sorted({name for name in named if not name.startswith("dockline::rapidjson::")})
        assert "dockline::rapidjson::" in named and not foreign, "\n".join(foreign[:5])


@check("a Meson subproject")
def _():
    project = scratch / "outer"
    shutil.copytree(consumer, project)
    (project / "subprojects").mkdir()
    (project / "subprojects/dockline").symlink_to(source)
    # With the tool, and as few units: what a build from nothing does, tools/demo among them.
    run("meson", "setup", scratch / "outer-build", project, "--force-fallback-for=dockline", "-Dbuildtype=plain",
        "-Dunity=subprojects", "-Dunity_size=24", "-Ddockline:tool=enabled", env={**os.environ, "CXX": cxx})
    run("meson", "compile", "-C", scratch / "outer-build")
    run(scratch / "outer-build/consumer")


shutil.rmtree(scratch)
print(f"{failures} failed" if failures else "all passed")
sys.exit(1 if failures else 0)
