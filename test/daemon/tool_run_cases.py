"""Runs, from outside."""

import contextlib
import re
import signal
import socket
import threading
import time

from tool_support import PREFIX, ask, base, check, comes_to, ended, environment, name, refused, run, start, tree


def case_a_reader_that_goes_away_ends_a_run():
    container = name("pouring")
    child = start("run", "--rm", "--name", container, base(), "pour", "2000000000")
    check(child.stdout.read(1) == "0", "no output")
    child.stdout.close()
    check(child.wait(timeout=20) == 125, child.returncode)
    check(ask("GET", f"/containers/{container}/json")[0] == 404, "the container is still there")


def case_run():
    image = base()
    result = ended(run("run", "--rm", image, "say", "3", "to out\n", "to err\n"), 3)
    check(result.out == "to out\n" and result.err == "to err\n", result)
    result = ended(run("run", "--rm", "-i", image, "cat", stdin="some input\n"), 0)
    check(result.out == "some input\n" and result.err == "end of input\n", result)
    # Without -i there is no input, and nothing is waited for.
    check(ended(run("run", "--rm", image, "cat", stdin="unread"), 0).out == "", "input without -i")
    result = ended(run("run", "--rm", "-e", "A=1", "-e", "B", "--env", "C", image, "env", "A", "B", "C",
                       env=environment(B="from outside")), 0)
    check(result.out == "A=1\nB=from outside\nC=(unset)\n", result)
    check(ended(run("run", "--rm", "--entrypoint", "/probe", image, "exit", "9"), 9).out == "", "")
    # Not a directory of the host, which the engine may see otherwise than we do.
    volume = PREFIX + "volume"
    try:
        ended(run("run", "--rm", "-v", volume + ":/mounted", image, "walk", "/mounted"), 0)
        check(ask("GET", f"/volumes/{volume}")[0] == 200, "no volume was made")
    finally:
        ask("DELETE", f"/volumes/{volume}")


def case_run_what_cannot_be_run():
    image = base()
    refused(125, [], "run", "--rm", name("none"))
    refused(127, ["/nowhere"], "run", "--rm", "--entrypoint", "/nowhere", image)
    refused(126, ["/data"], "run", "--rm", "--entrypoint", "/data", image)
    taken = name("taken")
    ended(run("run", "--name", taken, image, "exit", "0"), 0)
    refused(125, [taken], "run", "--rm", "--name", taken, image, "exit", "0")


def case_run_detached():
    container = name("detached")
    result = ended(run("run", "-d", "--rm", "--name", container, base(), "sleep", "60", container), 0)
    check(re.fullmatch(r"[0-9a-f]{64}\n", result.out) and result.err == "", result)
    check(comes_to(1, container, 10), "it does not run")
    check(ask("POST", f"/containers/{container}/kill")[0] == 204, "cannot be killed")
    check(comes_to(0, container, 10), "it goes on")


def case_interrupted_run():
    container = name("interrupted-run")
    child = start("run", "--rm", "--name", container, base(), "sleep", "120", container)
    check(comes_to(1, container, 20), "it did not start")
    began = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    check(child.returncode == 130, f"{child.returncode} {out} {err}")
    check(time.monotonic() - began < 5, "it took its time")
    check(comes_to(0, container, 5), "the container goes on")
    check(ask("GET", f"/containers/{container}/json")[0] == 404, "the container is still there")


class StubbornDaemon(threading.Thread):
    """Lets a container be made and run, and never answers when it is to be removed."""

    def __init__(self, where):
        super().__init__(daemon=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(where)
        self.server.listen()
        self.removing = threading.Event()
        self.started = threading.Event()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=[self.server.accept()[0]], daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection:
            reader = connection.makefile("rb")
            while line := reader.readline():
                length = 0
                while (field := reader.readline().strip()):
                    if field.lower().startswith(b"content-length:"):
                        length = int(field.split(b":")[1])
                reader.read(length)
                if b"/_ping" in line:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK")
                elif b"/create" in line:
                    connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 13\r\n\r\n{"Id":"c0de"}')
                elif b"/attach" in line:
                    connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
                elif b"/kill" in line:
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                elif b"/start" in line:
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                    self.started.set()
                else:
                    self.removing.set()
                    time.sleep(600)


def case_a_second_interrupt_leaves_at_once():
    with tree() as top:
        where = str(top / "engine.sock")
        stubborn = StubbornDaemon(where)
        stubborn.start()
        child = start("-H", "unix://" + where, "run", "--rm", "app")
        check(stubborn.started.wait(20), "it did not start")
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        check(stubborn.removing.wait(10), "the container was not to be removed")
        check(child.poll() is None, "it left without waiting for the removal")
        began = time.monotonic()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        check(child.returncode == 130 and time.monotonic() - began < 1, f"{child.returncode} {out} {err}")
