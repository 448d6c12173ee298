#!/usr/bin/env python3
"""Runs the program of a page of the guide: run_page.py PROGRAM PAGE PROBE

It is given a directory with a Dockerfile and a static program, `app`. It has to end with 0, and to print the lines that the page
shows in ```text blocks, in their order; … stands for anything. Needs a daemon, at DOCKLINE_TEST_DOCKER_HOST; exits 77 without
one. Docker's configuration has credentials for registry.example, and nothing else. The page on Google Cloud has a Google of the
tests' own beside the engine, and exits 77 without a docker command for it as well.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support" / "google"))
from client import Google

host = os.environ.get("DOCKLINE_TEST_DOCKER_HOST")
program, page, probe = sys.argv[1:4]
in_cloud = pathlib.Path(page).stem == "cloud"
if not host or in_cloud and not shutil.which("docker"):
    sys.exit(77)


def shown(text):
    """The lines that the page says are printed: its text blocks, but for those of the index."""
    blocks = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def missing(wanted, printed):
    """The first of the lines that is not among what is left of what was printed, or None."""
    rest = iter(printed)
    for line in wanted:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        if not any(pattern.fullmatch(one) for one in rest):
            return line
    return None


@contextlib.contextmanager
def google():
    """The variables that lead to a Google of the tests' own, which builds on the engine."""
    with Google("--tls", "--docker", host) as server:
        names = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service}": server.told["base"] for service in ("STORAGE", "CLOUDBUILD")}
        yield names | {"GOOGLE_APPLICATION_CREDENTIALS": server.told["credentials"]["service_account"],
                       "GOOGLE_CLOUD_PROJECT": server.told["project"], "SSL_CERT_FILE": server.told["ca"]}


with tempfile.TemporaryDirectory() as scratch, google() if in_cloud else contextlib.nullcontext({}) as cloud:
    tree, configuration = pathlib.Path(scratch, "tree"), pathlib.Path(scratch, "configuration")
    tree.mkdir()
    configuration.mkdir()
    shutil.copy(probe, tree / "app")
    (tree / "Dockerfile").write_text('FROM scratch\nCOPY app /app\nENTRYPOINT ["/app"]\n')
    entry = {"auth": base64.b64encode(b"guide:secret").decode()}
    (configuration / "config.json").write_text(json.dumps({"auths": {"registry.example": entry}}))
    environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_CONFIG": str(configuration), **cloud}
    ended = subprocess.run([program, str(tree)], env=environment, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=120)
    print(ended.stdout)
    line = missing(shown(pathlib.Path(page).read_text(encoding="utf-8")), ended.stdout.splitlines())
    if line is not None:
        print(f"FAILED: the page shows this line, and it was not printed, or not there: {line}")
    if ended.returncode != 0:
        print(f"FAILED: status {ended.returncode}")
    sys.exit(1 if line is not None or ended.returncode != 0 else 0)
