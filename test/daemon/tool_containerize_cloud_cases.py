"""containerize with a bucket: DockerConfig's usage with the tests' Cloud Build, which builds on the engine that the other cases
use. What it pushed is loaded from its registry and run."""

import io
import json
import os
import re
import signal
import tarfile
import time

from tool_cloud_cases import google, objects, unable, variables
from tool_containerize_cases import UUID, output_of, parent, tensorflow
from tool_support import PREFIX, check, comes_to, ended, made, name, refused, run, start, tree

BUCKET = "box-of-test"


def here(server, **more):
    """A user of this Google, who has no daemon, and nothing of Python's but what `more` has."""
    told = variables(server, DOCKER_HOST="unix:///nonexistent/docker.sock",
                     DOCKLINE_REGISTRY_ENDPOINT=f"http://{server.told['registry']}")
    return {key: value for key, value in told.items() if key not in ("VIRTUAL_ENV", "CONDA_PREFIX", "KAGGLE_DOCKER_IMAGE")} | more


def containerize(server, top, *words, status=0, **more):
    return ended(run("containerize", *words, cwd=top, env=here(server, **more)), status)


def pushed(server, uri):
    """The configuration of the image that the registry has, which the engine gets under this name."""
    repository, tag = uri.partition("/")[2].rsplit(":", 1)
    where = f"http://{server.told['registry']}/v2/{repository}"
    status, _, manifest = server.ask("GET", f"{where}/manifests/{tag}")
    check(status == 200, f"{uri} is not in the registry: {manifest!r}")
    config = json.loads(server.ask("GET", f"{where}/blobs/{json.loads(manifest)['config']['digest']}")[2])
    with tree() as top:
        (top / "image.tar").write_bytes(server.ask("GET", f"{server.told['control']}/images?name={uri}")[2])
        ended(run("load", "-q", "-i", str(top / "image.tar")), 0)
    made.append(uri)
    return config["config"]


def sent(server, which=0):
    """The names in the context that was sent."""
    _, _, packed = server.ask("GET", f"/{BUCKET}/{sorted(objects(server))[which]}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return set(archive.getnames())


def image(what):
    return f"gcr.io/dockline-test/{PREFIX}{what}:1"


def case_containerize_in_the_cloud_with_a_bucket():
    """image_build_bucket: the parent image is that of the local TensorFlow, asked of the registry; the name is a new one."""
    if reason := unable():
        return reason
    version = f"9.{os.getpid()}.{time.time_ns() % 10**6}"
    with google() as server, tensorflow(version) as (base, venv), tree(**{
            "app/train.py": "print('hello')\n", "app/.dockerignore": "*.log\n", "app/a.log": "1"}) as top:
        line = "--entry-point", "app/train.py", "--image-build-bucket", BUCKET, "--progress", "plain"
        # Nobody has the image of that version: the latest one is taken, and a warning says so.
        dry = containerize(server, top, *line, "--dry-run", VIRTUAL_ENV=venv)
        check(dry.out.startswith("FROM tensorflow/tensorflow:latest\n") and f"{base}, for tensorflow {version}" in dry.err and
              "the registry has no such image" in dry.err, dry)
        check(server.control("builds") == [], "a build in spite of --dry-run")
        dry = containerize(server, top, *line, "--dry-run", "--accelerator", "gpu", VIRTUAL_ENV=venv,
                           DOCKLINE_REGISTRY_ENDPOINT="http://127.0.0.1:1")
        check(dry.out.startswith("FROM tensorflow/tensorflow:latest-gpu\n") and f"whether {base}-gpu" in dry.err and
              "cannot be told" in dry.err, dry)
        # Now the registry has it.
        with tree(Dockerfile=f"FROM {base}\n") as other:
            ended(run("build", "-q", "--image-build-bucket", BUCKET, "-t", base, str(other), env=here(server)), 0)
        ended(run("tag", parent(), base), 0)
        done = containerize(server, top, *line, VIRTUAL_ENV=venv)
        uri = done.out[:-1]
        check(re.fullmatch(f"gcr.io/dockline-test/tf_cloud_train:{UUID}", uri), done)
        check("WARNING" not in done.err, done)
        config = pushed(server, uri)
        check(config["Entrypoint"] == ["python", "train.py"] and config["WorkingDir"] in ("/app", "/app/"), config)
        check(output_of(uri, "--epochs", "3") == "python in /app runs <train.py> <--epochs> <3>\nprint('hello')\n", uri)
        build = server.control("builds")[-1]
        check([step["args"][0] for step in build["steps"]] == ["build"] and "--cache-from" not in build["steps"][0]["args"] and
              "BUILDKIT_INLINE_CACHE=1" in build["steps"][0]["args"], build)
        contexts = [sent(server, which) for which in range(len(objects(server)))]
        check(any("train.py" in names for names in contexts) and not any("a.log" in names for names in contexts), contexts)


def case_containerize_in_the_cloud_with_an_image_and_a_bucket():
    """image, and with it its own layers as cache; unchanged content is not sent again."""
    if reason := unable():
        return reason
    uri = image("named")
    with google() as server, tree(**{"train.py": "one\n", "requirements.txt": f"numpy==1 # {uri}\n"}) as top:
        line = ["--entry-point", "train.py", "--requirements", "requirements.txt", "--image", uri, "--parent-image", parent(),
                "--image-build-bucket", BUCKET, "--progress", "plain"]
        first = containerize(server, top, *line)
        check(first.out == uri + "\n" and "pip installs" in first.err and f"numpy==1 # {uri}" in first.err, first)
        pushed(server, uri)
        check(output_of(uri) == "python in /app runs <train.py>\none\n", output_of(uri))
        pull, build = server.control("builds")[-1]["steps"]
        check(uri in " ".join(pull["args"]) and build["args"][build["args"].index("--cache-from") + 1] == uri, (pull, build))
        containerize(server, top, *line)
        check(len(objects(server)) == 1, objects(server))
        # Of another size: Cloud Build has a new machine for each build; here it is one engine, whose BuildKit takes files with the
        # same time and size for the same ones.
        (top / "train.py").write_text("number two\n")
        second = containerize(server, top, *line, "-q")
        check(second.out == uri + "\n" and second.err == "", second)
        check(len(objects(server)) == 2, objects(server))
        third = containerize(server, top, *line)
        check("pip installs" not in third.err, third)
        pushed(server, uri)
        check(output_of(uri) == "python in /app runs <train.py>\nnumber two\n", output_of(uri))


def case_containerize_in_the_cloud_with_everything_of_ones_own():
    """image, parent_image, cache_from and a bucket; a notebook, requirements, a region, another registry."""
    if reason := unable():
        return reason
    cache, uri = image("cache"), f"europe-docker.pkg.dev/dockline-test/r/{PREFIX}own:7"
    cells = [{"cell_type": "code", "source": "!pip list\nprint(1)"}]
    with google() as server, tree(**{"nb/train.ipynb": json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}),
                                     "r/req.txt": f"pandas # {uri}\n"}) as top:
        common = {"entry_point": "nb/train.ipynb", "requirements": "r/req.txt", "destination_dir": "/srv/$x y", "from_notebook": True,
                  "parent_image": parent(), "image_build_bucket": BUCKET, "region": "europe-west1", "accelerator": "gpu", "tpu": True}
        (top / "c.json").write_text(json.dumps(common))
        first = containerize(server, top, "--config", "c.json", "--image", cache, "--progress", "plain")
        check(first.out == cache + "\n" and f"pandas # {uri}" in first.err and "cloud-tpu-client" in first.err, first)
        done = containerize(server, top, "--config", "c.json", "--image", uri, "--cache-from", cache, "--progress", "json")
        check(done.out == uri + "\n", done)
        events = [json.loads(text) for text in done.err.splitlines()]
        check(any(event["event"] == "warning" and "!pip list" in event["text"] for event in events), events)
        check({"step_started", "step_finished"} <= {event["event"] for event in events}, events)
        config = pushed(server, uri)
        check(config["WorkingDir"] == "/srv/$x y" and config["Entrypoint"] == ["python", "train.py"], config)
        check(output_of(uri) == "python in /srv/$x y runs <train.py>\n# %% cell 1\n# !pip list\nprint(1)\n", output_of(uri))
        own = server.control("builds")[-1]
        check("europe-west1" in own["name"] and own["images"] == [uri], own)
        check(cache in " ".join(own["steps"][0]["args"]), own)


def case_containerize_in_the_cloud_fails_or_is_interrupted():
    if reason := unable():
        return reason
    mark = f"{PREFIX}contained"
    failing, slow = name("fails"), name("sleeps")
    for tag, words in ((failing, ["/bin/python", "missing"]), (slow, ["/probe", "sleep", "60", mark])):
        with tree(Dockerfile=f"FROM {parent()}\nCOPY --from={parent()} /bin/pip /probe\nONBUILD RUN {json.dumps(words)}\n") as top:
            ended(run("build", "-q", "-t", tag, str(top)), 0)
    with google() as server, tree(**{"a.py": ""}) as top:
        line = ["containerize", "--entry-point", "a.py", "--image-build-bucket", BUCKET, "--image", image("none"), "--parent-image"]
        last = ended(run(*line, failing, cwd=top, env=here(server)), 1)
        check(last.out == "" and last.err.splitlines()[-1].startswith("error: step "), last)
        process = start(*line, slow, variables=here(server), cwd=top)
        try:
            check(comes_to(1, mark, 30), "the step does not run")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
        check(process.returncode == 130 and out == "", (process.returncode, out, err))
        check(server.control("builds")[-1]["status"] == "CANCELLED", server.control("builds")[-1])
        check(comes_to(0, mark, 20), "the step goes on")
        refused(2, ["--host"], "--host", "tcp://127.0.0.1:1", "containerize", "--entry-point", "a.py", "--image-build-bucket", BUCKET,
                cwd=top, env=here(server))
        # Nothing is sent when something is wrong.
        server.control("log", method="DELETE")
        for words, *wrong in ((["image_build_bucket \"Goog_x\""], "--image-build-bucket", "Goog_x"),
                              (["project \"p\""], "--image-build-bucket", BUCKET, "--project", "p"),
                              (["region \"Eu rope\""], "--image-build-bucket", BUCKET, "--region", "Eu rope"),
                              (["no_push"], "--image-build-bucket", BUCKET, "--no-push")):
            refused(2, words, "containerize", "--entry-point", "a.py", *wrong, cwd=top, env=here(server))
        check(server.control("log") == [], server.control("log"))
