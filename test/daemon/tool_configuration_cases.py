"""Contexts and credentials of docker's configuration, from outside."""

import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from tool_support import HOST, TOOL, check, ended, environment, refused, run, tree


def docker_configuration(top, current="", host=None, **more):
    """Docker's configuration in a folder, with the context "here"."""
    meta = top / "contexts/meta" / hashlib.sha256(b"here").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True, exist_ok=True)
    meta.write_text(json.dumps({"Name": "here", "Endpoints": {"docker": {"Host": host or HOST}}}))
    (top / "config.json").write_text(json.dumps({"currentContext": current, **more}))


def case_the_daemon_by_its_context():
    with tree() as top:
        def settings(**more):
            return environment(**{"DOCKER_HOST": "", "DOCKER_CONFIG": str(top), **more})

        docker_configuration(top, current="here")
        ended(run("ping", env=settings()), 0)
        ended(run("-c", "here", "ping", env=settings(DOCKER_HOST="unix:///nowhere")), 0)
        ended(run("ping", "--context", "here", env=settings(DOCKER_CONTEXT="nowhere")), 0)
        ended(run("ping", env=settings(DOCKER_HOST=HOST, DOCKER_CONTEXT="nowhere")), 0)
        refused(2, ['"nowhere"', str(top)], "ping", env=settings(DOCKER_CONTEXT="nowhere"))
        refused(2, ["--context", "--host"], "-H", HOST, "-c", "here", "ping", env=settings())
        docker_configuration(top, current="nowhere")
        refused(2, ['"nowhere"'], "run", "x", env=settings())
        ended(run("ping", env=settings(DOCKER_CONTEXT="here")), 0)
        docker_configuration(top, current="here", host="unix:///nowhere/at/all")
        refused(3, ["/nowhere/at/all"], "ping", env=settings())
        (top / "config.json").write_text('{"auths": \n oops}')
        refused(2, [str(top / "config.json") + ":2:"], "ping", env=settings())
        ended(run("version", "--client", env=settings()), 0)
        ended(run("ping", env=settings(DOCKER_HOST=HOST)), 0)


def case_podmans_socket_is_named_when_nothing_answers():
    if os.path.exists("/var/run/docker.sock"):
        return "there is a default socket"
    with tree() as top, socket.socket(socket.AF_UNIX) as listener:
        (top / "podman").mkdir()
        listener.bind(str(top / "podman/podman.sock"))
        settings = environment(DOCKER_HOST="", XDG_RUNTIME_DIR=str(top))
        refused(3, ["/var/run/docker.sock", f"DOCKER_HOST=unix://{top}/podman/podman.sock"], "ping", env=settings)


def case_credentials_for_the_registries_of_a_build():
    with tree(Dockerfile="ARG TAG=1\nFROM 127.0.0.1:9/none:$TAG\n") as top:
        helper = top / "bin/docker-credential-mine"
        helper.parent.mkdir()

        def build(script, *words):
            helper.write_text("#!/bin/sh\n" + script)
            helper.chmod(0o755)
            (top / "calls").write_text("")
            return ended(run("build", *words, str(top), env=environment(
                DOCKER_CONFIG=str(top / "config"), PATH=f"{top}/bin:{os.environ['PATH']}", TOP=str(top))), 1)

        (top / "config").mkdir()
        docker_configuration(top / "config", credHelpers={"127.0.0.1:9": "mine", "never.example": "mine"},
                             credsStore="missing")
        record = 'echo "$1 $(cat)" >>"$TOP/calls"\n'
        result = build(record + 'echo \'{"Username":"u","Secret":"hunter2"}\'')
        check((top / "calls").read_text() == "get 127.0.0.1:9\n", (top / "calls").read_text())
        check("hunter2" not in result.err and "warning" not in result.err, result)
        locked = "docker-credential-mine, for 127.0.0.1:9: ended with status 1: locked"
        check(locked in build("echo locked; exit 1").err, result)
        check(locked not in build("echo locked; exit 1", "-q").err, result)
        check("missing, for docker.io: not found" in build("true", "--cache-from", "busybox").err, result)


def case_an_interrupted_credential_helper():
    with tree(Dockerfile="FROM 127.0.0.1:9/none\n") as top:
        docker_configuration(top, credsStore="hang")
        helper = top / "docker-credential-hang"
        helper.write_text('#!/bin/sh\nsleep 600 & echo $! >"$TOP/pid"; wait\n')
        helper.chmod(0o755)
        process = subprocess.Popen([TOOL, "build", str(top)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=environment(DOCKER_CONFIG=str(top), PATH=f"{top}:{os.environ['PATH']}",
                                                   TOP=str(top)))
        end = time.monotonic() + 20
        while not (top / "pid").exists() or not (top / "pid").read_text():
            check(time.monotonic() < end, "the helper was not started")
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        check(process.returncode == 130 and err == "error: interrupted\n", f"{process.returncode}: {err}")
        pid = int((top / "pid").read_text())
        while pathlib.Path(f"/proc/{pid}").exists() and ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text():
            check(time.monotonic() < end, "what the helper started still runs")
            time.sleep(0.02)
