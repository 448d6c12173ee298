#!/usr/bin/env python3
"""The example service, against the engine at DOCKLINE_TEST_DOCKER_HOST; exits with 77 where there is none.

    service_test.py SERVICE DOCKLINE PROBE
"""

import contextlib
import http.client
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True

SERVICE = os.path.abspath(sys.argv.pop(1))

import cases
from cases import Failed, check
from tool_support import PROBE, ask, comes_to, ended, environment, has_image, name, remove_all, run, tree, why_no_engine

TIMELY = 0.020


@contextlib.contextmanager
def service(root):
    """The service on a port of its own, which it says."""
    child = subprocess.Popen([SERVICE, "0", str(root)], stdout=subprocess.PIPE, env=environment(), text=True)
    try:
        yield int(child.stdout.readline().rsplit(":", 1)[1]), child
    finally:
        child.kill()
        child.wait()


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def without_a_cpu(process):
    """For how many seconds its first thread was ready to run and had to wait until now; nothing where that is not told."""
    try:
        with open(f"/proc/{process}/task/{process}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def builds(port):
    return get(port, "/health")[1]["builds"]


class Stream:
    """A build that was asked for, and its events as they come."""

    def __init__(self, port, **options):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("POST", "/images", json.dumps(options))
        self.answer = self.connection.getresponse()

    def __iter__(self):
        kind = None
        for line in self.answer:
            word, _, rest = line.decode().rstrip("\n").partition(": ")
            if word == "event":
                kind = rest
            elif word == "data":
                yield kind, json.loads(rest)

    def until(self, text):
        for kind, data in self:
            if text in json.dumps(data):
                return
        raise Failed(f"the stream ended without {text}")

    def leave(self):
        self.answer.close()
        self.connection.close()


def parent(*onbuild):
    """An image whose children run /probe with these words while they are built."""
    with tree(Dockerfile="FROM scratch\nCOPY probe /\nCOPY probe /bin/python\n" +
              "".join(f"ONBUILD RUN {json.dumps(['/probe', *words])}\n" for words in onbuild)) as top:
        shutil.copy(PROBE, top / "probe")
        tag = name("parent")
        ended(run("build", "-q", "-t", tag, str(top)), 0)
        return tag


def case_a_build_and_its_events(port, root, child):
    uri = name("one")
    (root / "a.py").write_text("x\n")
    stream = Stream(port, entry_point="a.py", image=uri, parent_image=parent(["lines", "0", "3", uri]), no_push=True)
    check(stream.answer.status == 200 and stream.answer.getheader("Content-Type") == "text/event-stream", stream.answer)
    events = list(stream)
    check(events[0] == ("started", {}) and events[-1] == ("done", {"image": uri}), events)
    check(all(kind == "progress" and "time" in data for kind, data in events[1:-1]), events)
    kinds = [data["event"] for kind, data in events if kind == "progress"]
    check({"context_progress", "step_started", "step_log", "step_finished", "image_built"} <= set(kinds), kinds)
    check(has_image(uri), "no image")
    check(builds(port) == 0, "the build still counts")


def case_what_fails_is_told(port, root, child):
    (root / "b.py").write_text("x\n")
    stream = Stream(port, entry_point="b.py", image=name("fails"), parent_image=parent(["say", "7", "oops\n"]), no_push=True)
    kind, data = list(stream)[-1]
    check(kind == "failed" and re.search("code:? 7", data["message"]), data)
    for options, words in [({"entry_point": "b.sh"}, 'entry_point "b.sh": a program here ends in'),
                           ({"entrypoint": "b.py"}, '"entrypoint": there is no such key'),
                           ({"entry_point": "b.py", "requirements": "/etc/passwd"}, "lies outside the root"),
                           ({"entry_point": "b.py", "requirements": "../x"}, "lies outside the root")]:
        stream = Stream(port, **options)
        body = json.loads(stream.answer.read())
        check(stream.answer.status == 400 and words in body["message"], body)
    stream = Stream(port, entry_point="/etc/x.py", no_push=True, parent_image="b")
    kind, data = list(stream)[-1]
    check(kind == "failed" and "entry_point" in data["message"], data)
    check(get(port, "/nothing")[0] == 404, "/nothing")


def case_a_client_that_leaves_ends_its_build(port, root, child):
    mark = f"left-{os.getpid()}"
    (root / "c.py").write_text("x\n")
    stream = Stream(port, entry_point="c.py", image=name("left"), parent_image=parent(["sleep", "60", mark]), no_push=True)
    stream.until("asleep")
    check(builds(port) == 1, "no build runs")
    stream.leave()
    end = time.monotonic() + 10
    while builds(port) != 0 and time.monotonic() < end:
        time.sleep(0.01)
    check(builds(port) == 0, "the build goes on")
    from tool_support import is_podman
    if not is_podman():  # which runs a step to its end
        check(comes_to(0, mark, 10), "the step goes on")


def case_ten_builds_at_once(port, root, child):
    """One thread: /health answers within 20 ms all the while, the time apart for which other programs had the CPUs.

    The best of three: the disks and the daemon have other users, too.
    """
    worst = []
    for attempt in range(3):
        # Each with words of its own, or all but one would find the step in the cache.
        images = [parent(["ticks", "0", "40", "25", f"{os.getpid()}-{attempt}{i}"]) for i in range(10)]
        streams = []
        for i in range(10):
            (root / f"t{attempt}{i}").mkdir(exist_ok=True)
            (root / f"t{attempt}{i}/t.py").write_text(f"{attempt} {i}\n" * 1000)
            streams.append(Stream(port, entry_point=f"t{attempt}{i}/t.py", image=name(f"ten-{i}"), parent_image=images[i], no_push=True))

        # In processes of their own: threads of Python's would wait for one another, and the measuring for them.
        def follow(which):
            (root / f"outcome{which}").write_text(json.dumps(list(streams[which])))

        readers = [multiprocessing.get_context("fork").Process(target=follow, args=(i,)) for i in range(10)]
        for reader in readers:
            reader.start()
        slowest, most, asked = 0.0, 0, 0
        while any(reader.is_alive() for reader in readers):
            # Of the service alone: the time from the request being sent to the answer being there.
            with socket.create_connection(("127.0.0.1", port)) as client:
                began, idle = time.monotonic(), without_a_cpu(child.pid) + without_a_cpu(os.getpid())
                client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                body = client.recv(4096)
                took = time.monotonic() - began
                slowest = max(slowest, took - (without_a_cpu(child.pid) + without_a_cpu(os.getpid()) - idle))
            asked += 1
            most = max(most, json.loads(body[body.rindex(b"{"):])["builds"])
            time.sleep(0.01)
        for reader in readers:
            reader.join()
        outcomes = [json.loads((root / f"outcome{i}").read_text()) for i in range(10)]
        check(all(events[-1][0] == "done" for events in outcomes), [events[-1] for events in outcomes])
        check(all(any("tick 40" in json.dumps(data) for _, data in events) for events in outcomes), "log lines are missing")
        check(most == 10, f"{most} builds at once")
        worst.append(slowest)
        print(f"        {asked} times /health beside ten builds: {slowest * 1000:.1f} ms at most")
        if slowest <= TIMELY:
            return
    raise Failed(f"/health took {min(worst) * 1000:.1f} ms")


def case_a_signal_ends_it(port, root, child):
    (root / "s.py").write_text("x\n")
    with service(root) as (own_port, own):
        stream = Stream(own_port, entry_point="s.py", image=name("signal"), parent_image=parent(["sleep", "60", "x"]), no_push=True)
        stream.until("asleep")
        own.send_signal(signal.SIGTERM)
        check(own.wait(timeout=10) == 0, own.returncode)


def main():
    if reason := why_no_engine():
        print(f"skipped: {reason}")
        return 77
    try:
        with tree() as root, service(root) as (port, child):
            return cases.run(cases.cases_of(globals()), port, root, child)
    finally:
        remove_all()


sys.exit(main())
