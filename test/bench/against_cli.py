#!/usr/bin/env python3
"""The whole command beside the docker CLI, in pairs, one after the other.

    against_cli.py context DOCKLINE FOLDER [ROUNDS]   what a context costs to hand over, to a daemon that forgets it
    against_cli.py small DOCKLINE HOST [ROUNDS]       a build of three cached steps on a real daemon, unix:///...
    against_cli.py memory DOCKLINE FOLDER             peak memory for 10 MB, 10 GB and a million files, made in FOLDER

Prints the median of the rounds and the median of the rounds' ratios. The CLI is `docker` of the PATH, with its
classic builder. FOLDER is the tree of context_bench. For `small` the daemon's own time is that of the same request
by a bare socket, without any client; it is taken off both before their wall times are compared.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

ID = "sha256:" + "0" * 64


# --- a daemon that forgets ----------------------------------------------------


def serve(peer):
    """Answers one connection after the other's request until it closes."""
    block = bytearray(1 << 20)
    kept = b""
    while True:
        while b"\r\n\r\n" not in kept:
            more = peer.recv(65536)
            if not more:
                return
            kept += more
        head, kept = kept.split(b"\r\n\r\n", 1)
        answer = b""
        if head.startswith(b"POST"):
            tail = kept[-5:]
            while tail != b"0\r\n\r\n":
                size = peer.recv_into(block)
                if size == 0:
                    return
                tail = (tail + bytes(block[max(0, size - 5):size]))[-5:]
            kept = b""
            answer = b'{"aux":{"ID":"%s"}}\r\n{"stream":"Successfully built 0123456789ab\\n"}\r\n' % ID.encode()
        if head.startswith(b"HEAD"):
            answer = b""
        peer.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nBuilder-Version: 1\r\n"
                     b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))


def start_forgetful(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)
    child = os.fork()
    if child:
        listener.close()
        return child
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        peer, _ = listener.accept()
        if os.fork() == 0:
            serve(peer)
            os._exit(0)
        peer.close()


# --- measuring ----------------------------------------------------------------


def measured(words, host):
    """Seconds by the clock, seconds of processor time, peak resident MiB."""
    environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
    began = time.monotonic()
    child = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"status {child.returncode}: {' '.join(words)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def median(values):
    return statistics.median(values)


def context(tool, folder, rounds):
    size = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "sock")
        daemon = start_forgetful(path)
        try:
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(measured([tool, "build", "-q", folder], f"unix://{path}"))
                theirs.append(measured(["docker", "build", folder], f"unix://{path}"))
        finally:
            os.kill(daemon, signal.SIGTERM)
            os.waitpid(daemon, 0)
    rows = [["", "seconds", "MB/s", "CPU s", "peak MiB"]]
    for who, runs in (("dockline build", ours), ("docker build", theirs)):
        wall, cpu, peak = (median(column) for column in zip(*runs))
        rows.append([who, f"{wall:.3f}", f"{size / wall / 1e6:.0f}", f"{cpu:.3f}", f"{peak:.1f}"])
    table(rows)
    print(f"{median(b[0] / a[0] for a, b in zip(ours, theirs)):.2f} x as fast, "
          f"{median(b[1] / a[1] for a, b in zip(ours, theirs)):.2f} x less processor time, median of {rounds} pairs")


def fill(folder, files, size):
    if os.path.exists(os.path.join(folder, "Dockerfile")):
        return
    for i in range(files):
        if i % 1000 == 0:
            os.makedirs(os.path.join(folder, str(i // 1000)), exist_ok=True)
        with open(os.path.join(folder, str(i // 1000), str(i)), "wb") as file:
            file.truncate(size)  # without blocks on the disk; they are read and sent all the same
    with open(os.path.join(folder, "Dockerfile"), "w", encoding="utf-8") as file:
        file.write("FROM scratch\nCOPY . /\n")


def memory(tool, folder, _):
    rows = [["", "seconds", "peak MiB", "over the idle process"]]
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "sock")
        daemon = start_forgetful(path)
        try:
            _, _, idle = measured([tool, "ping"], f"unix://{path}")
            for title, files, size in (("10 MB", 10, 10 ** 6), ("10 GB", 10, 10 ** 9), ("a million files", 10 ** 6, 100)):
                tree = os.path.join(folder, title.replace(" ", "-"))
                fill(tree, files, size)
                for how in ("none", "gzip"):
                    wall, _, peak = measured([tool, "build", "-q", "--compression", how, tree], f"unix://{path}")
                    rows.append([f"{title}, {how}", f"{wall:.1f}", f"{peak:.1f}", f"{peak - idle:.1f}"])
                wall, _, peak = measured([tool, "context", "--format", "json", tree], f"unix://{path}")
                rows.append([f"{title}, listed", f"{wall:.1f}", f"{peak:.1f}", f"{peak - idle:.1f}"])
        finally:
            os.kill(daemon, signal.SIGTERM)
            os.waitpid(daemon, 0)
    table(rows)


def bare_build(path, body):
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
        peer.sendall(b"POST /v1.41/build HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n"
                     b"Content-Type: application/x-tar\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        answer = b""
        while more := peer.recv(65536):
            answer += more
    if b"Successfully built" not in answer:
        sys.exit(f"the daemon's answer: {answer[-500:]!r}")
    return time.monotonic() - began


def small(tool, host, rounds):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "Dockerfile"), "w", encoding="utf-8") as file:
            file.write("FROM scratch\nCOPY a /a\nCOPY b /b\nLABEL bench=dockline\n")
        for name in "ab":
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(name * 1000)
        packed = os.path.join(folder, "..", os.path.basename(folder) + ".tar")
        with tarfile.open(packed, "w") as tar:
            tar.add(folder, arcname=".")
        with open(packed, "rb") as file:
            body = file.read()
        os.remove(packed)
        alone, ours, theirs = [], [], []
        measured([tool, "build", "-q", folder], host)
        for _ in range(rounds):
            alone.append(bare_build(host.removeprefix("unix://"), body))
            ours.append(measured([tool, "build", "-q", folder], host))
            theirs.append(measured(["docker", "build", "-q", folder], host))
    own = median(alone)
    rows = [["", "wall ms", "less the daemon's", "CPU ms", "peak MiB"],
            ["the daemon alone", f"{own * 1e3:.1f}", "", "", ""]]
    for who, runs in (("dockline build", ours), ("docker build", theirs)):
        wall, cpu, peak = (median(column) for column in zip(*runs))
        rows.append([who, f"{wall * 1e3:.1f}", f"{(wall - own) * 1e3:.1f}", f"{cpu * 1e3:.1f}", f"{peak:.1f}"])
    table(rows)
    share = [max(a[0] - d, 1e-4) / max(b[0] - d, 1e-4) for a, b, d in zip(ours, theirs, alone)]
    print(f"wall {median(share):.2f} x the CLI's after the daemon's time, "
          f"CPU {median(a[1] / b[1] for a, b in zip(ours, theirs)):.2f} x, median of {rounds} pairs")


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("context", "small", "memory"):
        sys.exit(__doc__)
    if not shutil.which("docker"):
        sys.exit("no docker CLI to compare with")
    print(subprocess.run(["docker", "--version"], capture_output=True, text=True, check=True).stdout.strip())
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else (5 if sys.argv[1] == "context" else 15)
    {"context": context, "small": small, "memory": memory}[sys.argv[1]](os.path.abspath(sys.argv[2]), sys.argv[3], rounds)


main()
