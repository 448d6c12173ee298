"""containerize from outside: DockerConfig's usage on a real engine, with a parent image whose pip and python are stubs.

Pushes go to DOCKLINE_TEST_REGISTRY; cases that push are skipped without it.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import time
from urllib.parse import quote

from tool_support import (HOST, PROBE, ask, check, ended, environment, has_image, inspect, is_podman, made, name,
                          refused, run, start, tree)

REGISTRY = os.environ.get("DOCKLINE_TEST_REGISTRY", "")
UUID = "_".join(f"[0-9a-f]{{{n}}}" for n in (8, 4, 4, 4, 12))

parent_image = None


def parent():
    """An image with stubs of pip and python, and nothing else."""
    global parent_image
    if parent_image is None:
        with tree(Dockerfile="FROM scratch\nCOPY pip python /bin/\n") as top:
            shutil.copy(PROBE, top / "pip")
            shutil.copy(PROBE, top / "python")
            tag = name("parent")
            ended(run("build", "-q", "-t", tag, str(top)), 0)
            parent_image = tag
    return parent_image


def containerize(top, *words, status=0, **more):
    """The command in this directory, with nothing of Google's or Python's in the environment."""
    plain = {key: value for key, value in environment().items()
             if key not in ("VIRTUAL_ENV", "CONDA_PREFIX", "KAGGLE_DOCKER_IMAGE", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")}
    return ended(run("containerize", *words, cwd=top, env={**plain, **more}), status)


def output_of(image, *words):
    return ended(run("run", "--rm", image, *words), 0).out


def in_registry(uri):
    """Whether the engine can pull it: only the engine is sure to reach its registry."""
    repository, tag = uri.rsplit(":", 1)
    status, _, said = ask("POST", f"/images/create?fromImage={quote(repository, safe='')}&tag={tag}")
    return status == 200 and b'"error"' not in said


@contextlib.contextmanager
def tensorflow(version):
    """A virtual environment with this TensorFlow, and its image."""
    image = f"tensorflow/tensorflow:{version}"
    ended(run("tag", parent(), image), 0)
    made.append(image)
    with tree(**{f"lib/python3.11/site-packages/tensorflow-{version}.dist-info/METADATA": ""}) as venv:
        yield image, str(venv)


def case_containerize_with_all_defaults():
    if not REGISTRY:
        return "no registry"
    version = f"9.{os.getpid()}.{time.time_ns() % 10**6}"
    with tensorflow(version) as (image, venv), tree(**{"app/train.py": "print('hello')\n"}) as top:
        done = containerize(top, "--entry-point", "app/train.py", "--registry", f"{REGISTRY}/dockline-test",
                            VIRTUAL_ENV=venv)
        uri = done.out[:-1]
        check(re.fullmatch(f"{re.escape(REGISTRY)}/dockline-test/tf_cloud_train:{UUID}", uri), done)
        made.append(uri)
        check(re.search(f"FROM (docker\\.io/)?{re.escape(image)}[@\n]", done.err), done)
        check(in_registry(uri), "not in the registry")
        check(output_of(uri, "--epochs", "3") == "python in /app runs <train.py> <--epochs> <3>\nprint('hello')\n", uri)
        # Another run makes another image.
        again = containerize(top, "--entry-point", "app/train.py", "--registry", f"{REGISTRY}/dockline-test", "-q",
                             VIRTUAL_ENV=venv)
        made.append(again.out[:-1])
        check(again.out != done.out and again.err == "", again)


def case_containerize_with_a_parent_image():
    uri = name("parented") + ":1"
    with tree(**{"train.py": "x\n"}) as top:
        done = containerize(top, "--entry-point", "train.py", "--parent-image", parent(), "--image", uri, "--no-push",
                            "--destination-dir", "/srv/my code/$x")
        check(done.out == uri + "\n", done)
        made.append(uri)
        check(inspect(uri)["Config"]["WorkingDir"] == "/srv/my code/$x", inspect(uri)["Config"])
        check(output_of(uri) == "python in /srv/my code/$x runs <train.py>\nx\n", output_of(uri))


def case_containerize_installs_requirements_once():
    """The layer of pip stays when the code changes, also by a cache image; a change of requirements makes it anew."""
    uri = name("cached") + ":1"
    made.append(uri)
    with tree(**{"app/train.py": "one\n", "requirements.txt": f"numpy==1 # {uri}\n"}) as top:
        line = ["--entry-point", "app/train.py", "--requirements", "requirements.txt", "--parent-image", parent(),
                "--image", uri, "--no-push", "--progress", "plain"]
        first = containerize(top, *line)
        check("pip installs\n" in first.err and f"numpy==1 # {uri}" in first.err, first)
        check("cache image" in first.err and "building without it" in first.err, first)
        (top / "app" / "train.py").write_text("two\n")
        second = containerize(top, *line)
        check("pip installs" not in second.err and "cannot be pulled" in second.err, second)
        check(output_of(uri).endswith("\ntwo\n"), output_of(uri))
        (top / "requirements.txt").write_text(f"numpy==2 # {uri}\n")
        third = containerize(top, *line)
        check(f"numpy==2 # {uri}" in third.err, third)


def case_containerize_with_cache_from():
    if not REGISTRY:
        return "no registry"
    cache, uri = f"{REGISTRY}/dockline-test/{name('cache')}:1", f"{REGISTRY}/dockline-test/{name('app')}:2"
    made.extend([cache, uri])
    with tree(**{"train.py": "one\n", "requirements.txt": "numpy\n"}) as top:
        line = ["--entry-point", "train.py", "--requirements", "requirements.txt", "--parent-image", parent()]
        containerize(top, *line, "--image", cache)
        check(in_registry(cache), "the cache image is not in the registry")
        (top / "train.py").write_text("two\n")
        done = containerize(top, *line, "--image", uri, "--cache-from", cache, "--progress", "plain")
        check("pip installs" not in done.err and "cannot be pulled" not in done.err, done)
        check(done.out == uri + "\n" and in_registry(uri), done)
        check(output_of(uri).endswith("\ntwo\n"), output_of(uri))


def case_containerize_takes_any_name():
    """Names with spaces, quotes, '$', backslashes, wildcards and letters of other alphabets mean themselves."""
    names = {"entry": "tr$ain \"q\" 'p' [a]*?\\x \u00fc.py", "requirements": "r$HOME \"q\" 'p' [b]*?\\y \u00e9.txt"}
    uri = name("names")
    with tree() as top:
        (top / names["entry"]).write_text("program\n")
        (top / names["requirements"]).write_text(f"the right one {uri}\n")
        # What a pattern or a variable would take instead.
        (top / "r \"q\" 'p' bz\u00e9.txt").write_text("the wrong one\n")
        done = containerize(top, "--entry-point", names["entry"], "--requirements", names["requirements"], "--image", uri,
                            "--parent-image", parent(), "--no-push", "--destination-dir", "/d \"q\" 'p' $HOME\\z \u00e4/",
                            "--progress", "plain")
        check(f"the right one {uri}" in done.err and "the wrong one" not in done.err, done)
        check(output_of(uri) == f"python in /d \"q\" 'p' $HOME\\z \u00e4 runs <{names['entry']}>\nprogram\n", output_of(uri))


def case_containerize_leaves_a_Dockerfile_alone():
    uri = name("own")
    with tree(Dockerfile="FROM nowhere\n", _dockerignore="data\n", **{"Dockerfile.py": "x\n", "data/big": "1"}) as top:
        containerize(top, "--entry-point", "Dockerfile.py", "--image", uri, "--parent-image", parent(), "--no-push")
        check((top / "Dockerfile").read_text() == "FROM nowhere\n", "the Dockerfile was changed")
        check(sorted(os.listdir(top)) == [".dockerignore", "Dockerfile", "Dockerfile.py", "data"], os.listdir(top))
        check(output_of(uri) == "python in /app runs <Dockerfile.py>\nx\n", "the image")
        status, _, listing = ask("GET", f"/images/{uri}/history")
        check(status == 200 and b"FROM nowhere" not in listing, listing)


def case_containerize_a_notebook():
    uri = name("notebook")
    cells = [{"cell_type": "code", "source": ["import os\n", "%matplotlib inline\n", "for x in y:\n", "    !ls"]},
             {"cell_type": "markdown", "source": "text"}, {"cell_type": "code", "source": "files = !ls"}]
    with tree(**{"nb/train.ipynb": json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}), "nb/train.py": "own\n"}) as top:
        done = containerize(top, "--entry-point", "nb/train.ipynb", "--image", uri, "--parent-image", parent(), "--no-push")
        check(output_of(uri) == "python in /app runs <train-2.py>\n# %% cell 1\nimport os\n# %matplotlib inline\n"
              "for x in y:\n    pass  # !ls\n\n# %% cell 3\n# files = !ls\n", output_of(uri))
        check('cell 1, line 2: "%matplotlib inline"' in done.err and 'cell 3, line 1: "files = !ls"' in done.err, done)
        check(sorted(os.listdir(top / "nb")) == ["train.ipynb", "train.py"], "files were left behind")
        # The script has no time of its own by which a daemon could tell that it has changed.
        cells[0]["source"][0] = "import io\n"
        (top / "nb/train.ipynb").write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
        containerize(top, "--entry-point", "nb/train.ipynb", "--image", uri, "--parent-image", parent(), "--no-push")
        check("import io\n" in output_of(uri), output_of(uri))
        (top / "bad.ipynb").write_text('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}')
        refused(2, ["bad.ipynb", "cell 1", "neither a text nor a list of lines"], "containerize", "--entry-point",
                "bad.ipynb", "--no-push", cwd=top)


def case_containerize_by_a_file_of_options():
    uri, other = name("configured"), name("overridden")
    with tree(**{"a.py": "a\n", "b.py": "b\n"}) as top:
        (top / "c.json").write_text(json.dumps({"entry_point": "a.py", "image": uri, "parent_image": parent(),
                                                "no_push": True, "destination_dir": "/one"}))
        check(containerize(top, "--config", "c.json").out == uri + "\n", "the name")
        check(output_of(uri) == "python in /one runs <a.py>\na\n", output_of(uri))
        done = containerize(top, "--config", "c.json", "--entry-point", "b.py", "--image", other)
        check(done.out == other + "\n" and output_of(other) == "python in /one runs <b.py>\nb\n", done)
        (top / "c.json").write_text('{"entrypoint": "a.py"}')
        refused(2, ["--config: c.json: \"entrypoint\": there is no such key"], "containerize", "--config", "c.json", cwd=top)
        refused(2, ["--config \"none.json\": No such file"], "containerize", "--config", "none.json", cwd=top)
        refused(2, ["--config \".\": Is a directory"], "containerize", "--config", ".", cwd=top)


def case_containerize_dry_run():
    uri = name("dry")
    with tree(_dockerignore="*.log\n", **{"app/train.py": "x", "app/data/d": "1", "r.txt": "numpy\n"}) as top:
        done = containerize(top, "--entry-point", "app/train.py", "--requirements", "r.txt", "--image", uri,
                            "--parent-image", "base:1", "--dry-run")
        check(done.out == 'FROM base:1\nWORKDIR /app/\nCOPY ["r.txt", "./"]\n'
              'RUN ["pip", "install", "--no-cache-dir", "-r", "r.txt"]\nCOPY [".", "./"]\n'
              'ENTRYPOINT ["python", "train.py"]\n\ndata/\ndata/d\ntrain.py\nr.txt\n', done)
        check(not has_image(uri), "an image was built")
        # It needs no daemon, unless the local TensorFlow has to be looked up, and then says what it could not do.
        nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
        containerize(top, "--entry-point", "app/train.py", "--parent-image", "b", "--no-push", "--dry-run", **nowhere)
        (top / "venv/lib/python3.11/site-packages/tensorflow-2.15.0.dist-info").mkdir(parents=True)
        done = containerize(top, "--entry-point", "app/train.py", "--no-push", "--dry-run", VIRTUAL_ENV=str(top / "venv"),
                            **nowhere)
        check(done.out.startswith("FROM tensorflow/tensorflow:latest\n"), done)
        check("whether tensorflow/tensorflow:2.15.0" in done.err and "cannot be told" in done.err, done)


def case_containerize_refuses_bad_input():
    """Before a daemon is asked: there is none."""
    nowhere = {**environment(), "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    with tree(**{"a.py": "", "sub/b.py": "", "d.py/x": "", "c.sh": ""}) as top:
        def no(words, *line, cwd=top):
            refused(2, words, "containerize", *line, cwd=cwd, env=nowhere)
        no(["entry_point: the program to run is missing"], "--no-push")
        no(["entry_point \"none.py\": is not there"], "--entry-point", "none.py", "--no-push")
        no(["entry_point \"d.py\": is a directory"], "--entry-point", "d.py", "--no-push")
        no(["entry_point \"c.sh\": a program here ends in .py or .ipynb"], "--entry-point", "c.sh", "--no-push")
        no(["entry_point \"../a.py\": lies outside the tree"], "--entry-point", "../a.py", "--no-push", cwd=top / "sub")
        no(["requirements \"r.txt\": is not there"], "--entry-point", "a.py", "--requirements", "r.txt", "--no-push")
        no(["destination_dir \"app\": "], "--entry-point", "a.py", "--destination-dir", "app", "--no-push")
        no(["image: image reference \"A\": "], "--entry-point", "a.py", "--image", "A", "--no-push")
        no(["parent_image: image reference \"a:b:c\": "], "--entry-point", "a.py", "--parent-image", "a:b:c", "--no-push")
        no(["cache_from: image reference"], "--entry-point", "a.py", "--cache-from", "a b", "--no-push")
        no(["image_build_bucket \"B\": "], "--entry-point", "a.py", "--image-build-bucket", "B")
        no(["project \"p\": "], "--entry-point", "a.py", "--project", "p")
        no(["image_build_bucket \"bbb\": Google Cloud Build always pushes"], "--entry-point", "a.py",
           "--image-build-bucket", "bbb", "--no-push")
        no(["region \"europe-west1\": "], "--entry-point", "a.py", "--region", "europe-west1", "--no-push")
        no(["image_build_bucket: called from a notebook"], "--entry-point", "a.py", "--from-notebook")
        no(["image: an image that is pushed needs a place"], "--entry-point", "a.py", "--parent-image", "b")
        # All of it is sound: now the daemon is missing.
        refused(3, ["/nonexistent/docker.sock"], "containerize", "--entry-point", "a.py", "--parent-image", "b", "--no-push",
                "--progress", "json", cwd=top, env=nowhere)


def case_containerize_says_which_step_failed():
    with tree(**{"a.py": "", "r.txt": "x"}) as top:
        broken = name("broken")
        # Without a pip.
        with tree(Dockerfile="FROM scratch\nCOPY python /bin/\n") as other:
            shutil.copy(PROBE, other / "python")
            ended(run("build", "-q", "-t", broken, str(other)), 0)
        uri = name("failed")
        done = containerize(top, "--entry-point", "a.py", "--requirements", "r.txt", "--parent-image", broken, "--no-push",
                            "--image", uri, status=1)
        check(done.out == "" and "pip" in done.err.splitlines()[-1], done)
        check(not has_image(uri), "an image in spite of the failure")


def case_containerize_is_interrupted():
    uri = name("interrupted")
    slow = name("slow")
    with tree(Dockerfile=f'FROM {parent()}\nCOPY pip /probe\nONBUILD RUN ["/probe", "sleep", "60", "mark"]\n') as top:
        shutil.copy(PROBE, top / "pip")
        ended(run("build", "-q", "-t", slow, str(top)), 0)
    with tree(**{"a.py": ""}) as top:
        child = start("containerize", "--entry-point", "a.py", "--parent-image", slow, "--image", uri, "--no-push",
                      "--progress", "plain", cwd=top)
        try:
            for line in child.stderr:
                if "asleep" in line:
                    break
            child.send_signal(signal.SIGINT)
            out = child.communicate(timeout=20)[0]
        finally:
            child.kill()
        check(child.returncode == 130 and out == "", f"{child.returncode} {out}")
        check(not has_image(uri), "an image in spite of the interruption")
