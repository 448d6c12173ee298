#!/usr/bin/env python3
"""The program `docker` of a build's steps: it pulls and pushes at the test's registry, and is docker itself for all else."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request


def pull(docker, control, name):
    try:
        with urllib.request.urlopen(f"{control}/images?name={urllib.parse.quote(name, safe='')}") as answer:
            digest = answer.headers["Docker-Content-Digest"]
            with subprocess.Popen([docker, "load", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as load:
                while piece := answer.read(1 << 18):
                    load.stdin.write(piece)
            if load.returncode:
                return load.returncode
    except urllib.error.HTTPError:
        tag = name.rpartition(":")[2]
        print(f'Error response from daemon: manifest for {name} not found: manifest unknown: Failed to fetch "{tag}"', file=sys.stderr)
        return 1
    print(f"{name.rpartition(':')[2]}: Pulling from {name.partition('/')[2].rpartition(':')[0]}")
    print(f"Digest: {digest}\nStatus: Downloaded newer image for {name}\n{name}")
    return 0


def main():
    docker, control = os.environ["GOOGLE_STEP_DOCKER"], os.environ["GOOGLE_STEP_CONTROL"]
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    line = sys.argv[1:]
    # Cloud Build's machines have a network of this name, which leads to the build's credentials. BuildKit refuses it.
    if os.environ.get("DOCKER_BUILDKIT") == "0":
        line = re.sub("\0--network(?:\0|=)cloudbuild(?=\0|$)", "", "\0".join(["", *line])).split("\0")[1:]
    if words[:1] == ["pull"]:
        sys.exit(pull(docker, control, words[1]))
    os.execv(docker, [docker, *line])


main()
