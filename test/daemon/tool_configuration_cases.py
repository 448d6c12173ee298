"""Contexts and credentials of docker's configuration, from outside."""

import base64
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from tool_support import HOST, TOOL, base, check, ended, environment, is_podman, refused, run, tree


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


def case_doctor():
    with tree() as top:
        docker_configuration(top, credsStore="dockline-test-missing")
        (top / "config.json").chmod(0o600)

        def settings(**more):
            return environment(**{"DOCKER_CONFIG": str(top), **more})

        told = ended(run("doctor", env=settings()), 0)
        for words in (HOST, "DOCKER_HOST", "here (", "docker-credential-dockline-test-missing on PATH", "cure: "):
            check(words in told.out, f"{words}: {told}")
        found = json.loads(ended(run("doctor", "--format", "json", env=settings()), 0).out)
        daemon = found["daemon"]
        check(found["usable"] and daemon["reachable"] and daemon["address"] == HOST, found)
        check(daemon["version"] and daemon["storage_driver"] and daemon["builders"], found)
        check(daemon["engine"] == ("podman" if is_podman() else "dockerd"), found)
        check(daemon["chosen_by"] == "DOCKER_HOST" and daemon["negotiated_version"].startswith("1."), found)
        check([one["severity"] for one in found["problems"] if one["subject"] == "credentials"] == ["warning"], found)
        by_context = json.loads(ended(run("-c", "here", "doctor", "--format", "json", env=settings()), 0).out)
        check(by_context["daemon"]["context"] == "here", by_context)

        nowhere = settings(DOCKER_HOST="unix:///nowhere/engine.sock")
        lost = json.loads(ended(run("doctor", "--format", "json", env=nowhere), 3).out)
        problem = next(one for one in lost["problems"] if one["subject"] == "daemon")
        check(not lost["usable"] and problem["severity"] == "error" and "systemctl" in problem["cure"], lost)
        check("/nowhere/engine.sock" in ended(run("doctor", env=nowhere), 3).out, "not named")
        check('"nowhere"' in ended(run("doctor", env=settings(DOCKER_HOST="", DOCKER_CONTEXT="nowhere")), 2).out, "")
        (top / "config.json").write_text("{\n oops")
        broken = ended(run("doctor", env=settings()), 2)
        check("config.json:2:" in broken.out and "Reachable:         yes" in broken.out, broken)


def forms_of(secret):
    """The secret as it is, and what of its base64 does not depend on what stands around it."""
    yield secret
    for before in range(3):
        text = base64.urlsafe_b64encode(b"\0" * before + secret.encode()).decode()
        yield text[(0, 2, 3)[before]:].rstrip("=")[:-2]


def case_debug_shows_the_exchange_and_no_secret():
    result = ended(run("--debug", "ping"), 0)
    for words in ("debug: #1 > GET /_ping HTTP/1.1\n", "debug: #1 < HTTP/1.1 200 OK (after ", "debug: #1 = over after "):
        check(words in result.err, result)
    check("debug" not in result.out, result)
    secret = "correct-horse-battery-staple"
    auth = base64.b64encode(f"u:{secret}".encode()).decode()
    with tree(Dockerfile="ARG HTTP_PROXY\nARG MY_TOKEN\nFROM 127.0.0.1:9/none\n", _dockerignore="config.json") as top:
        (top / "config.json").write_text(json.dumps({
            "auths": {"127.0.0.1:9": {"auth": auth}}, "HttpHeaders": {"X-Meta-Token": secret},
            "proxies": {"default": {"httpProxy": f"http://u:{secret}@127.0.0.1:3128"}}}))
        settings = environment(DOCKER_CONFIG=str(top))
        # Nobody listens there, so both fail.
        results = [ended(run("--debug", "build", "--build-arg", f"MY_TOKEN={secret}", str(top), env=settings), 1),
                   ended(run("--debug", "pull", "127.0.0.1:9/none", env=settings), 1)]
        for one in results:
            check("X-Meta-Token: ***\n" in one.err, one)
            for form in forms_of(secret):
                check(form not in one.out + one.err, f"{form}: {one}")
        check("X-Registry-Config: ***\n" in results[0].err, results[0])
        check("X-Registry-Auth: ***\n" in results[1].err, results[1])


def case_headers_of_the_configuration():
    with tree() as top, socket.socket(socket.AF_UNIX) as listener:
        docker_configuration(top, HttpHeaders={"X-Meta": "42"})
        listener.bind(str(top / "sock"))
        listener.listen()
        child = subprocess.Popen([TOOL, "-H", f"unix://{top}/sock", "ping"], stdout=subprocess.PIPE, text=True,
                                 env=environment(DOCKER_CONFIG=str(top)))
        listener.settimeout(20)
        peer, _ = listener.accept()
        with peer:
            request = b""
            while b"\r\n\r\n" not in request:
                request += peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
            child.communicate(timeout=20)
        check(b"\r\nX-Meta: 42\r\n" in request and child.returncode == 0, request)


def case_proxies_for_a_container():
    with tree() as top:
        docker_configuration(top, proxies={"default": {"httpProxy": "http://p:1", "noProxy": "localhost"}})
        settings = environment(DOCKER_CONFIG=str(top))

        def sees(variable, *words):
            return ended(run("run", "--rm", *words, base(), "env", variable, env=settings), 0).out

        check(sees("http_proxy") == "http_proxy=http://p:1\n", "small letters")
        check(sees("HTTP_PROXY") == "HTTP_PROXY=http://p:1\n", "capitals")
        check(sees("NO_PROXY") == "NO_PROXY=localhost\n", "what needs none")
        check(sees("http_proxy", "-e", "http_proxy=mine") == "http_proxy=mine\n", "what was asked for")
